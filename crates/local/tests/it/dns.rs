//! The name servers, asked over UDP and TCP as resolvers ask them.

use std::net::SocketAddr;
use std::str::FromStr;

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use hickory_server::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_server::proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use twinsite_local::dataplane::DataPlane;
use twinsite_local::{Cloud, Ports};

use crate::session;

/// One record set of each type that Route 53 has, beside NS and SOA.
const SETS: [(&str, &str, &str); 17] = [
    ("a", "A", "192.0.2.1"),
    ("a", "AAAA", "2001:db8::1"),
    ("a", "CAA", "0 issue \"amazon.com\""),
    ("alias", "CNAME", "a.example.com"),
    ("out", "CNAME", "d1.cloudfront.net"),
    ("child", "DS", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"),
    ("a", "HTTPS", "1 . alpn=\"h2,h3\""),
    ("a", "MX", "10 mail.example.com"),
    ("a", "NAPTR", "100 50 \"s\" \"z3950+I2L+I2C\" \"\" _z3950._tcp.example.com"),
    ("1", "PTR", "a.example.com"),
    ("_sip._tcp", "SRV", "1 10 5060 sip.example.com"),
    ("a", "SSHFP", "2 1 123456789ABCDEF67890123456789ABCDEF67890"),
    ("_443._tcp.a", "TLSA", "3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"),
    ("a", "SPF", "\"v=spf1 -all\""),
    ("a", "TXT", "\"one\" \"two words\""),
    ("*.wild", "A", "192.0.2.2"),
    ("child", "NS", "ns.example.net"),
];

struct Servers {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

async fn served() -> (Cloud, Servers) {
    let cloud = Cloud::memory();
    let route53 = session(&cloud).await.route53();
    let zone = route53.create_hosted_zone().name("example.com").caller_reference("r").send().await.unwrap();
    let id = zone.hosted_zone.unwrap().id;
    let mut changes = ChangeBatch::builder();
    for (name, kind, value) in SETS {
        let set = ResourceRecordSet::builder().name(format!("{name}.example.com")).r#type(RrType::from(kind)).ttl(60);
        let set = set.resource_records(ResourceRecord::builder().value(value).build().unwrap()).build().unwrap();
        let change = Change::builder().action(ChangeAction::Create).resource_record_set(set).build().unwrap();
        changes = changes.changes(change);
    }
    let change = route53.change_resource_record_sets().hosted_zone_id(id).change_batch(changes.build().unwrap());
    change.send().await.unwrap();
    let plane = DataPlane::open(&cloud, None, Ports::ANY, 1).await.unwrap();
    let endpoints = plane.endpoints();
    let address = SocketAddr::new(endpoints.name_server, endpoints.ports.dns);
    let mut tasks = JoinSet::new();
    tasks.spawn(plane.run(CancellationToken::new()));
    (cloud, Servers { address, _tasks: tasks })
}

fn kind_of(name: &str) -> RecordType {
    if name == "SPF" { RecordType::from(99) } else { RecordType::from_str(name).unwrap() }
}

impl Servers {
    async fn ask(&self, name: &str, kind: &str) -> Message {
        let query = Query::query(Name::from_str(&format!("{name}.")).unwrap(), kind_of(kind));
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        message.add_query(query);
        // As stub resolvers do; a name server ignores it.
        message.metadata.recursion_desired = true;
        let bytes = message.to_vec().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(&bytes, self.address).await.unwrap();
        let mut buffer = [0; 4096];
        let size = socket.recv(&mut buffer).await.unwrap();
        let over_udp = Message::from_vec(&buffer[..size]).unwrap();
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], &bytes].concat()).await.unwrap();
        let mut over_tcp = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut over_tcp).await.unwrap();
        assert_eq!(Message::from_vec(&over_tcp).unwrap().answers, over_udp.answers);
        assert!(!over_udp.metadata.recursion_available);
        over_udp
    }
}

/// The address of a host, as the name servers answer.
pub(crate) async fn address_of(server: SocketAddr, host: &str) -> std::net::IpAddr {
    let answer = Servers { address: server, _tasks: JoinSet::new() }.ask(host, "A").await;
    answer.answers[0].data.ip_addr().unwrap()
}

#[tokio::test]
async fn records_of_all_types_are_answered() {
    let (_cloud, servers) = served().await;
    for (name, kind, _) in SETS.into_iter().filter(|(name, kind, _)| (*name, *kind) != ("child", "NS")) {
        let name = name.replace('*', "x");
        let answer = servers.ask(&format!("{name}.example.com"), kind).await;
        assert!(!answer.answers.is_empty() && answer.metadata.authoritative, "{name} {kind}: {answer}");
    }
    let mx = servers.ask("a.example.com", "MX").await;
    assert_eq!(mx.answers[0].data.to_string(), "10 mail.example.com.");
}

#[tokio::test]
async fn answers_are_those_of_an_authoritative_server() {
    let (_cloud, servers) = served().await;
    let out = servers.ask("out.example.com", "A").await;
    assert_eq!(
        (out.answers.len(), out.answers[0].record_type()),
        (1, RecordType::CNAME),
        "not followed out of the zone"
    );
    let within = servers.ask("alias.example.com", "A").await;
    assert_eq!(within.answers.len(), 2, "followed within it");
    let none = servers.ask("none.example.com", "A").await;
    assert_eq!(
        (none.metadata.response_code, none.authorities[0].record_type()),
        (ResponseCode::NXDomain, RecordType::SOA)
    );
    for (name, kind) in [("_tcp.example.com", "A"), ("a.example.com", "SRV"), ("x.wild.example.com", "TXT")] {
        let empty = servers.ask(name, kind).await;
        let shape = (empty.metadata.response_code, empty.answers.len(), empty.authorities.len());
        assert_eq!(shape, (ResponseCode::NoError, 0, 1), "{name} {kind}");
    }
    let referral = servers.ask("www.child.example.com", "A").await;
    assert!(!referral.metadata.authoritative && referral.answers.is_empty());
    assert_eq!(referral.authorities[0].data.to_string(), "ns.example.net.");
    assert_eq!(servers.ask("example.org", "A").await.metadata.response_code, ResponseCode::Refused);
    let edge = servers.ask("d1.cloudfront.net", "A").await;
    assert_eq!(edge.answers.len(), 1, "the servers of AWS's own names answer for them");
}
