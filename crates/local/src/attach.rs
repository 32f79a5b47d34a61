//! Sharing a state directory: one process opens and serves it, the others connect to that one.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::Cloud;
use crate::context::Outages;
use crate::remote::{outages_at, set_outages_at};
use crate::world::WorldError;

/// How this process accesses the embedded cloud of a directory.
#[derive(Clone, Debug)]
pub enum Attached {
    /// It is open in this process.
    Own(Cloud),
    /// Another process serves it at this address.
    Remote(SocketAddr),
}

impl Attached {
    /// Starts and ends outages: `change` gets those in force. `None` if the process that serves the cloud does not answer.
    pub async fn change_outages(&self, change: impl FnOnce(&mut Outages)) -> Option<()> {
        match self {
            Self::Own(cloud) => {
                let mut outages = cloud.world().outages();
                change(&mut outages);
                cloud.world().set_outages(outages);
                Some(())
            }
            Self::Remote(address) => {
                let mut outages = outages_at(*address).await?;
                change(&mut outages);
                set_outages_at(*address, outages).await
            }
        }
    }
}

const MARKER: &str = "server.addr";

/// Finds the process that serves the cloud of a directory, or opens it.
///
/// # Errors
/// [`WorldError::InUse`] when another process has it open without serving it.
pub fn attach_or_open(dir: &Path) -> Result<Attached, WorldError> {
    if let Some(address) = serving_address(dir) {
        return Ok(Attached::Remote(address));
    }
    Cloud::open(dir).map(Attached::Own)
}

/// The address in the marker, if it accepts connections.
fn serving_address(dir: &Path) -> Option<SocketAddr> {
    let address = std::fs::read_to_string(dir.join(MARKER)).ok()?.trim().parse().ok()?;
    TcpStream::connect_timeout(&address, Duration::from_millis(500)).ok().map(|_| address)
}

impl Cloud {
    /// Records in the directory that this process serves its cloud at `address`.
    pub fn announce(dir: &Path, address: SocketAddr) -> io::Result<()> {
        std::fs::write(dir.join(MARKER), address.to_string())
    }

    /// Removes the record.
    pub fn withdraw(dir: &Path) -> io::Result<()> {
        std::fs::remove_file(dir.join(MARKER))
    }
}
