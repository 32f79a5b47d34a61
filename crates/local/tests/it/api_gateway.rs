//! API Gateway: its control plane with the real SDK, and its Regional endpoints over sockets.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use aws_sdk_apigatewayv2::types::{
    ConnectionType, DomainNameConfiguration, EndpointType, IntegrationType, IpAddressType, ProtocolType, SecurityPolicy,
};
use aws_sdk_s3::types::{IndexDocument, PublicAccessBlockConfiguration, WebsiteConfiguration};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use twinsite_local::acm::CertificateRequest;
use twinsite_local::dataplane::DataPlane;
use twinsite_local::{Cloud, Delays, Endpoints, Outages, Ports};

use crate::{code, session, site};

const POLICY: &str = r#"{"Statement":[
    {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::site/*"}]}"#;
const REGION: &str = "us-east-1";

fn certificate(cloud: &Cloud, region: &str, name: &str) -> String {
    let names = vec![name.to_owned()];
    let (key_algorithm, region) = ("RSA_2048".into(), region.into());
    let request = CertificateRequest { names, key_algorithm, region, ..CertificateRequest::default() };
    cloud.world().change_account(|account, moment| account.acm.import(request, None, moment)).unwrap()
}

fn configuration(certificate: &str) -> DomainNameConfiguration {
    DomainNameConfiguration::builder()
        .certificate_arn(certificate)
        .endpoint_type(EndpointType::Regional)
        .security_policy(SecurityPolicy::Tls12)
        .ip_address_type(IpAddressType::Dualstack)
        .build()
}

async fn client(cloud: &Cloud) -> aws_sdk_apigatewayv2::Client {
    session(cloud).await.api_gateway(&REGION.parse().unwrap())
}

/// An API that passes everything on to the website endpoint of `site`.
async fn api(client: &aws_sdk_apigatewayv2::Client) -> (String, String) {
    let api = client.create_api().name("site").protocol_type(ProtocolType::Http).tags("a", "1").send().await.unwrap();
    let id = api.api_id.unwrap();
    let integration = client
        .create_integration()
        .api_id(&id)
        .integration_type(IntegrationType::HttpProxy)
        .integration_method("ANY")
        .connection_type(ConnectionType::Internet)
        .payload_format_version("1.0")
        .timeout_in_millis(10_000)
        .integration_uri("http://site.s3-website-us-east-1.amazonaws.com")
        .request_parameters("remove:header.cookie", "''");
    let integration = integration.send().await.unwrap().integration_id.unwrap();
    let target = format!("integrations/{integration}");
    client.create_route().api_id(&id).route_key("$default").target(target).send().await.unwrap();
    client.create_stage().api_id(&id).stage_name("$default").auto_deploy(true).send().await.unwrap();
    (id, integration)
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted_and_certificates_are_those_of_the_region() {
    let (cloud, _) = site().await;
    cloud.world().set_delays(Delays::NONE);
    let client = client(&cloud).await;
    let (id, integration) = api(&client).await;
    let name = "www.example.com";
    let create =
        |arn: &str| client.create_domain_name().domain_name(name).domain_name_configurations(configuration(arn));
    for bad in [certificate(&cloud, "us-west-2", name), certificate(&cloud, REGION, "www.example.net")] {
        assert_eq!(code(create(&bad).send().await), "BadRequestException", "{bad}");
    }
    let arn = certificate(&cloud, REGION, name);
    let made = create(&arn).tags("a", "1").send().await.unwrap();
    let made = &made.domain_name_configurations()[0];
    assert_eq!(made.hosted_zone_id(), Some("Z1UJRXOUMOOFQ8"));
    assert!(made.api_gateway_domain_name().unwrap().starts_with("d-"));
    assert_eq!(code(create(&arn).send().await), "ConflictException");
    let map = || client.create_api_mapping().domain_name(name).api_id(&id).stage("$default");
    let mapping = map().send().await.unwrap().api_mapping_id.unwrap();
    assert_eq!(code(map().send().await), "ConflictException");
    assert_eq!(code(client.delete_api().api_id(&id).send().await), "BadRequestException");
    let delete = client.delete_integration().api_id(&id).integration_id(&integration).send().await;
    assert_eq!(code(delete), "ConflictException");
    let acm = session(&cloud).await.acm_in(&REGION.parse().unwrap());
    assert_eq!(code(acm.delete_certificate().certificate_arn(&arn).send().await), "ResourceInUseException");
    client.delete_api_mapping().domain_name(name).api_mapping_id(mapping).send().await.unwrap();
    client.delete_domain_name().domain_name(name).send().await.unwrap();
    assert_eq!(code(client.get_domain_name().domain_name(name).send().await), "NotFoundException");
    client.delete_api().api_id(&id).send().await.unwrap();
    assert_eq!(code(client.get_api().api_id(&id).send().await), "NotFoundException");
    acm.delete_certificate().certificate_arn(&arn).send().await.unwrap();
}

#[tokio::test]
async fn lists_have_pages_and_tags_are_changed_by_arn() {
    let (cloud, _) = site().await;
    let client = client(&cloud).await;
    for number in 0..5 {
        let create = client.create_api().name(format!("api {number}")).protocol_type(ProtocolType::Http);
        create.send().await.unwrap();
    }
    let (mut names, mut token) = (Vec::new(), None);
    loop {
        let page = client.get_apis().max_results("2").set_next_token(token).send().await.unwrap();
        assert!(page.items().len() <= 2);
        names.extend(page.items().iter().map(|api| api.api_id.clone().unwrap()));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), 5);
    let elsewhere = session(&cloud).await.api_gateway(&"us-west-2".parse().unwrap());
    assert_eq!(elsewhere.get_apis().send().await.unwrap().items().len(), 0, "APIs belong to a region");
    let arn = format!("arn:aws:apigateway:{REGION}::/apis/{}", names[0]);
    client.tag_resource().resource_arn(&arn).tags("a", "1").tags("b", "2").send().await.unwrap();
    client.untag_resource().resource_arn(&arn).tag_keys("a").tag_keys("c").send().await.unwrap();
    let tags = client.get_tags().resource_arn(&arn).send().await.unwrap().tags.unwrap();
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("b".to_owned(), "2".to_owned())]);
    let routes = client.create_route().api_id(&names[0]).route_key("ANY /{proxy+}").send().await;
    assert_eq!(code(routes), "NotImplemented", "what is not emulated is refused");
}

/// A site behind API Gateway, served.
struct Served {
    cloud: Cloud,
    client: aws_sdk_apigatewayv2::Client,
    s3: aws_sdk_s3::Client,
    api: String,
    endpoints: Endpoints,
    address: IpAddr,
    _tasks: JoinSet<()>,
}

impl Served {
    async fn new() -> Self {
        let (cloud, s3) = site().await;
        cloud.world().set_delays(Delays::NONE);
        let open = PublicAccessBlockConfiguration::builder().build();
        s3.put_public_access_block().bucket("site").public_access_block_configuration(open).send().await.unwrap();
        s3.put_bucket_policy().bucket("site").policy(POLICY).send().await.unwrap();
        let index = IndexDocument::builder().suffix("index.html").build().unwrap();
        let website = WebsiteConfiguration::builder().index_document(index).build();
        s3.put_bucket_website().bucket("site").website_configuration(website).send().await.unwrap();
        for key in ["index.html", "dir/index.html", "a b.txt", "a+b.txt", "ü.txt", "100%.txt"] {
            s3.put_object().bucket("site").key(key).body(key.as_bytes().to_vec().into()).send().await.unwrap();
        }
        let client = client(&cloud).await;
        let (api, _) = api(&client).await;
        let arn = certificate(&cloud, REGION, "www.example.com");
        let domain = client.create_domain_name().domain_name("www.example.com");
        let domain = domain.domain_name_configurations(configuration(&arn)).send().await.unwrap();
        let host = domain.domain_name_configurations()[0].api_gateway_domain_name().unwrap().to_owned();
        let map = client.create_api_mapping().domain_name("www.example.com").api_id(&api).stage("$default");
        map.send().await.unwrap();
        let plane = DataPlane::open(&cloud, None, Ports::ANY, 1).await.unwrap();
        let endpoints = plane.endpoints().clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(plane.run(CancellationToken::new()));
        let query = SocketAddr::new(endpoints.name_server, endpoints.ports.dns);
        let address = crate::dns::address_of(query, &host).await;
        Self { cloud, client, s3, api, endpoints, address, _tasks: tasks }
    }

    /// The status line, headers and body of an answer over TLS, whose certificate is verified.
    async fn get(&self, sni: &str, host: &str, path: &str, headers: &str) -> std::io::Result<String> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates([CertificateDer::from_pem_slice(self.endpoints.authority.as_bytes()).unwrap()]);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(SocketAddr::new(self.address, self.endpoints.ports.https)).await?;
        let name = ServerName::try_from(sni.to_owned()).unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // A connection may be reset after the response.
        drop(stream.read_to_end(&mut answer).await);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    async fn visit(&self, path: &str) -> String {
        self.get("www.example.com", "www.example.com", path, "").await.unwrap()
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn visitors_of_the_custom_domain_name_get_the_website_over_tls() {
    let served = Served::new().await;
    for (path, key) in
        [("/", "index.html"), ("/dir/", "dir/index.html"), ("/a%20b.txt", "a b.txt"), ("/%C3%BC.txt", "ü.txt")]
    {
        let answer = served.visit(path).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(key), "{path}: {answer}");
        assert!(answer.contains("apigw-requestid: "), "{answer}");
    }
    assert_eq!(status(&served.visit("/dir").await), "302", "the website endpoint redirects folders");
    assert_eq!(status(&served.visit("/missing").await), "403");
    // The keys that an HTTP API does not reach, because it decodes paths twice.
    assert!(!served.visit("/a%2Bb.txt").await.ends_with("a+b.txt"), "the website endpoint reads a plus as a space");
    assert_eq!(status(&served.visit("/100%25.txt").await), "400");
    let cookie = format!("Cookie: {}\r\n", "c".repeat(11_000));
    let large = served.get("www.example.com", "www.example.com", "/", &cookie).await.unwrap();
    assert_eq!(status(&large), "431");
    let body = vec![b'x'; 11 << 20];
    served.s3.put_object().bucket("site").key("large").body(body.into()).send().await.unwrap();
    assert_eq!(status(&served.visit("/large").await), "500");
    let plain = TcpStream::connect(SocketAddr::new(served.address, served.endpoints.ports.http)).await;
    assert!(plain.is_err() || !cfg!(target_os = "linux"), "API Gateway does not listen at port 80");
}

#[tokio::test]
async fn other_hosts_outages_and_a_disabled_endpoint_are_answered_as_aws_does() {
    let served = Served::new().await;
    let foreign = served.get("www.example.com", "www.example.net", "/", "").await.unwrap();
    assert_eq!(status(&foreign), "403");
    assert!(served.get("www.example.net", "www.example.net", "/", "").await.is_err(), "a certificate of another name");
    let own = format!("{}.execute-api.{REGION}.amazonaws.com", served.api);
    assert_eq!(status(&served.get(&own, &own, "/", "").await.unwrap()), "200");
    served.client.update_api().api_id(&served.api).disable_execute_api_endpoint(true).send().await.unwrap();
    assert_eq!(status(&served.get(&own, &own, "/", "").await.unwrap()), "404");
    served.s3.delete_bucket_website().bucket("site").send().await.unwrap();
    assert_eq!(status(&served.visit("/").await), "404", "what the website endpoint answers is passed on");
    let out = Outages { regions_out: [REGION.to_owned()].into(), ..Outages::default() };
    served.cloud.world().set_outages(out);
    assert!(served.get("www.example.com", "www.example.com", "/", "").await.is_err(), "the region is out");
}
