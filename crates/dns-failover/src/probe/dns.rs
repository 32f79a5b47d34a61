//! DNS queries to a name server, without a resolver's cache.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::error::ProbeError;

/// The response of a name server to a query for A records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsResponse {
    /// False if the name does not exist (NXDOMAIN).
    pub exists: bool,
    /// The records, in order: CNAME records, and the A records they lead to.
    pub records: Vec<DnsRecord>,
}

/// A record of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsRecord {
    /// Its name, without the trailing dot.
    pub name: String,
    /// Its TTL in seconds.
    pub ttl: u32,
    /// Its value: an address, or a name without the trailing dot.
    pub value: String,
}

impl DnsResponse {
    /// The addresses among the values.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.records.iter().filter_map(|record| record.value.parse().ok())
    }

    /// The names among the values: the targets of CNAME records.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|record| record.value.as_str()).filter(|value| value.parse::<IpAddr>().is_err())
    }

    /// How many seconds a resolver may cache the response: the lowest TTL of its records.
    pub fn ttl(&self) -> Option<u32> {
        self.records.iter().map(|record| record.ttl).min()
    }
}

/// Queries a name server for the A records of a name, over UDP and, if the response is truncated, over TCP.
///
/// # Errors
/// [`ProbeError`] if no valid response was received within the time limit.
pub async fn dns_query(server: SocketAddr, name: &str, limit: Duration) -> Result<DnsResponse, ProbeError> {
    let exchange = async {
        let query = a_query(name)?;
        let bytes = query.to_vec().map_err(|error| ProbeError::Dns(error.into()))?;
        let response = query_over_udp(server, &bytes, query.metadata.id).await?;
        if response.metadata.truncation { query_over_tcp(server, &bytes).await } else { Ok(response) }
    };
    let message = timeout(limit, exchange).await.map_err(|_| ProbeError::TimedOut(limit))??;
    dns_response(&message)
}

/// Asks a name server or a resolver for the name servers of a zone, over UDP and, if the response is truncated, over TCP. Names are in
/// lower case without the trailing dot; there are none if the name does not exist or is no zone.
///
/// # Errors
/// [`ProbeError`] if no valid response was received within the time limit.
pub async fn ns_query(server: SocketAddr, zone: &str, limit: Duration) -> Result<Vec<String>, ProbeError> {
    let exchange = async {
        let mut query = query_message(zone, RecordType::NS)?;
        query.metadata.recursion_desired = true;
        let bytes = query.to_vec().map_err(|error| ProbeError::Dns(error.into()))?;
        let response = query_over_udp(server, &bytes, query.metadata.id).await?;
        if response.metadata.truncation { query_over_tcp(server, &bytes).await } else { Ok(response) }
    };
    let message = timeout(limit, exchange).await.map_err(|_| ProbeError::TimedOut(limit))??;
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => {}
        other => return Err(ProbeError::NameServer(other.to_string())),
    }
    let servers = message.answers.iter().filter_map(|record| match &record.data {
        RData::NS(server) => Some(server.0.to_string().trim_end_matches('.').to_ascii_lowercase()),
        _ => None,
    });
    Ok(servers.collect())
}

fn a_query(name: &str) -> Result<Message, ProbeError> {
    query_message(name, RecordType::A)
}

fn query_message(name: &str, kind: RecordType) -> Result<Message, ProbeError> {
    let name = Name::from_str(&format!("{}.", name.trim_end_matches('.')));
    let name = name.map_err(|error| ProbeError::Dns(error.into()))?;
    let id = RandomState::new().build_hasher().finish() & u64::from(u16::MAX);
    let mut message = Message::new(u16::try_from(id).unwrap_or_default(), MessageType::Query, OpCode::Query);
    message.add_query(Query::query(name, kind));
    Ok(message)
}

async fn query_over_udp(server: SocketAddr, query: &[u8], id: u16) -> Result<Message, ProbeError> {
    let unspecified: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(unspecified, 0)).await?;
    socket.connect(server).await?;
    socket.send(query).await?;
    let mut buffer = [0; 4096];
    loop {
        let size = socket.recv(&mut buffer).await?;
        let message = Message::from_vec(&buffer[..size]).map_err(|error| ProbeError::Dns(error.into()))?;
        // A response with another id belongs to another query.
        if message.metadata.id == id {
            return Ok(message);
        }
    }
}

async fn query_over_tcp(server: SocketAddr, query: &[u8]) -> Result<Message, ProbeError> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.len()).map_err(|error| ProbeError::Dns(error.into()))?;
    stream.write_all(&[&length.to_be_bytes(), query].concat()).await?;
    let mut response = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut response).await?;
    Message::from_vec(&response).map_err(|error| ProbeError::Dns(error.into()))
}

fn dns_response(message: &Message) -> Result<DnsResponse, ProbeError> {
    let exists = match message.metadata.response_code {
        ResponseCode::NoError => true,
        ResponseCode::NXDomain => false,
        other => return Err(ProbeError::NameServer(other.to_string())),
    };
    let text = |name: &Name| name.to_string().trim_end_matches('.').to_ascii_lowercase();
    let records = message.answers.iter().filter_map(|record| {
        let value = match &record.data {
            RData::A(address) => address.to_string(),
            RData::CNAME(target) => text(&target.0),
            _ => return None,
        };
        Some(DnsRecord { name: text(&record.name), ttl: record.ttl, value })
    });
    Ok(DnsResponse { exists, records: records.collect() })
}
