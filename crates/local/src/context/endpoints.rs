//! Where the data plane listens.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Where the data plane listens. Resolvers and HTTP clients are configured with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Endpoints {
    /// The ports, the same at every address.
    pub ports: Ports,
    /// The address of the name servers.
    pub name_server: IpAddr,
    /// The certificate (PEM) of the authority that signs the edges' certificates.
    pub authority: String,
    /// How many times faster than real time the cloud's clock runs.
    pub speed: u32,
}

/// The ports on this machine that stand for the well-known ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// For port 53, UDP and TCP.
    pub dns: u16,
    /// For port 80.
    pub http: u16,
    /// For port 443.
    pub https: u16,
}

impl Ports {
    /// Any free ports.
    pub const ANY: Self = Self { dns: 0, http: 0, https: 0 };

    /// The local port for a well-known one; any other port is returned unchanged.
    pub fn local(self, port: u16) -> u16 {
        match port {
            53 => self.dns,
            80 => self.http,
            443 => self.https,
            other => other,
        }
    }
}
