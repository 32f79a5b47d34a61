//! Questions to name servers, straight: no cache in between.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::LookError;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Name servers.
    Ns,
}

/// What a name server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// False when there is no such name.
    pub exists: bool,
    /// The records, in order.
    pub records: Vec<Record>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name, without the last dot.
    pub name: String,
    /// For how many seconds it may be kept.
    pub ttl: u32,
    /// What it leads to: an address or, without the last dot, a name.
    pub value: String,
}

impl Answer {
    /// The addresses among the records.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.records.iter().filter_map(|record| record.value.parse().ok())
    }

    /// The names among the records: where a `CNAME` leads, or who the name servers are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|record| record.value.as_str()).filter(|value| value.parse::<IpAddr>().is_err())
    }

    /// For how many seconds the answer may be kept: as long as each of its records.
    pub fn ttl(&self) -> Option<u32> {
        self.records.iter().map(|record| record.ttl).min()
    }
}

/// Asks one name server over UDP and, when the answer does not fit, over TCP.
///
/// # Errors
/// [`LookError`] when no answer came, or one that cannot be read.
pub async fn ask(server: SocketAddr, name: &str, kind: Kind, patience: Duration) -> Result<Answer, LookError> {
    let exchange = async {
        let question = question(name, kind)?;
        let sent = question.to_vec().map_err(|error| LookError::Unreadable(error.to_string()))?;
        let message = over_udp(server, &sent, question.metadata.id).await?;
        if message.metadata.truncation { over_tcp(server, &sent).await } else { Ok(message) }
    };
    let message = timeout(patience, exchange).await.map_err(|_| LookError::TimedOut(patience.as_secs()))??;
    read(&message)
}

fn question(name: &str, kind: Kind) -> Result<Message, LookError> {
    let name = Name::from_str(&format!("{}.", name.trim_end_matches('.')));
    let name = name.map_err(|error| LookError::Unreadable(error.to_string()))?;
    let kind = match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Ns => RecordType::NS,
    };
    let id = RandomState::new().build_hasher().finish() & u64::from(u16::MAX);
    let mut message = Message::new(u16::try_from(id).unwrap_or_default(), MessageType::Query, OpCode::Query);
    message.add_query(Query::query(name, kind));
    Ok(message)
}

impl From<std::io::Error> for LookError {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

async fn over_udp(server: SocketAddr, question: &[u8], id: u16) -> Result<Message, LookError> {
    let any =
        if server.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED) };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut buffer = [0; 4096];
    loop {
        let size = socket.recv(&mut buffer).await?;
        let message = Message::from_vec(&buffer[..size]);
        let message = message.map_err(|error| LookError::Unreadable(error.to_string()))?;
        // An answer to something else is somebody else's.
        if message.metadata.id == id {
            return Ok(message);
        }
    }
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> Result<Message, LookError> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(|error| LookError::Unreadable(error.to_string()))?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let size = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(size)];
    stream.read_exact(&mut answer).await?;
    Message::from_vec(&answer).map_err(|error| LookError::Unreadable(error.to_string()))
}

fn read(message: &Message) -> Result<Answer, LookError> {
    let exists = match message.metadata.response_code {
        ResponseCode::NoError => true,
        ResponseCode::NXDomain => false,
        other => return Err(LookError::Unreadable(format!("the name server says {other}"))),
    };
    let text = |name: &Name| name.to_string().trim_end_matches('.').to_ascii_lowercase();
    let records = message.answers.iter().filter_map(|record| {
        let value = match &record.data {
            RData::A(address) => address.to_string(),
            RData::AAAA(address) => address.to_string(),
            RData::CNAME(target) => text(&target.0),
            RData::NS(server) => text(&server.0),
            _ => return None,
        };
        Some(Record { name: text(&record.name), ttl: record.ttl, value })
    });
    Ok(Answer { exists, records: records.collect() })
}
