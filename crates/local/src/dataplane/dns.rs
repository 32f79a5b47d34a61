//! The name servers of Route 53, over UDP and TCP.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Edns, MessageType, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME};
use hickory_server::proto::rr::{Name, RData, Record as Rr, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use super::Context;
use super::net::LOCALHOST;
use super::resolve::{Code, Data, Record};
use crate::route53::rdata;

/// The idle timeout of TCP connections.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// How many ports are tried until one is free for both protocols.
const MAX_ATTEMPTS: u32 = 50;

/// The sockets, on the same port.
pub(super) struct Sockets {
    pub(super) udp: UdpSocket,
    pub(super) tcp: TcpListener,
}

impl Sockets {
    pub(super) async fn open(port: u16) -> std::io::Result<Self> {
        let mut attempts = 0;
        loop {
            let udp = UdpSocket::bind(SocketAddr::new(LOCALHOST, port)).await?;
            match TcpListener::bind(SocketAddr::new(LOCALHOST, udp.local_addr()?.port())).await {
                Ok(tcp) => return Ok(Self { udp, tcp }),
                // A port that is free for UDP may be in use for TCP.
                Err(_) if port == 0 && attempts < MAX_ATTEMPTS => attempts += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Answers queries until the server is dropped.
    pub(super) fn serve(self, context: Context) -> Server<NameServer> {
        let mut server = Server::new(NameServer(context));
        server.register_socket(self.udp);
        server.register_listener(self.tcp, IDLE_TIMEOUT, 64);
        server
    }
}

/// A name server for all hosted zones.
pub(super) struct NameServer(Context);

#[async_trait]
impl RequestHandler for NameServer {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut responder: R) -> ResponseInfo {
        let mut metadata = Metadata::new(request.metadata.id, MessageType::Response, OpCode::Query);
        metadata.recursion_desired = request.metadata.recursion_desired;
        let (mut answers, mut authority) = (Vec::new(), Vec::new());
        match request.request_info() {
            Ok(info) if request.metadata.op_code == OpCode::Query => {
                let name = info.query.name().to_string().trim_end_matches('.').to_ascii_lowercase();
                let answer = self.0.answer(&name, &kind_of(info.query.query_type()));
                metadata.authoritative = answer.authoritative;
                metadata.response_code = match answer.code {
                    Code::NoError => ResponseCode::NoError,
                    Code::NoSuchName => ResponseCode::NXDomain,
                    Code::Refused => ResponseCode::Refused,
                };
                answers.extend(answer.records.iter().filter_map(encode));
                authority.extend(answer.authority.iter().filter_map(encode));
            }
            Ok(_) => metadata.response_code = ResponseCode::NotImp,
            Err(_) => metadata.response_code = ResponseCode::FormErr,
        }
        let mut edns = Edns::new();
        edns.set_max_payload(1232);
        let mut builder = MessageResponseBuilder::from_message_request(request);
        if request.edns.is_some() {
            builder.edns(&edns);
        }
        let response = builder.build(metadata, &answers, &[], &authority, &[]);
        // The client may have disconnected. The returned value is for statistics only.
        responder.send_response(response).await.unwrap_or_else(|_| failed(metadata))
    }
}

/// The name of a type, as Route 53 has it.
fn kind_of(kind: RecordType) -> String {
    if u16::from(kind) == 99 { "SPF".to_owned() } else { kind.to_string() }
}

fn failed(metadata: Metadata) -> ResponseInfo {
    use hickory_server::proto::op::{Header, HeaderCounts};
    ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() })
}

fn encode(record: &Record) -> Option<Rr> {
    let name = |text: &str| Name::from_str(&format!("{}.", text.trim_end_matches('.'))).ok();
    let data = match &record.data {
        Data::Address(std::net::IpAddr::V4(address)) => RData::A(A(*address)),
        Data::Address(std::net::IpAddr::V6(address)) => RData::AAAA(AAAA(*address)),
        Data::Cname(target) => RData::CNAME(CNAME(name(target)?)),
        // Values are checked when they are stored.
        Data::Other { kind, value } => rdata(kind, value).ok()?,
    };
    Some(Rr::from_rdata(name(&record.name)?, record.ttl, data))
}
