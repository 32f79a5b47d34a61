//! Proxies, trusted certificates and endpoints that the environment names.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use twinsite_aws::{EMBEDDED_ACCESS_KEY, EMBEDDED_SECRET_KEY};

use crate::front::{Front, Request, response};
use crate::server::Server;
use crate::{Project, Ran};

/// A name that only the proxy resolves.
const STORE: &str = "store.invalid";

fn address(server: &Server) -> SocketAddr {
    server.api().trim_start_matches("http://").parse().unwrap()
}

/// A project with enough small files that most are sent by the fast path, and one of several parts.
fn project() -> Project {
    let project = Project::new();
    for n in 0..40 {
        project.write(&format!("public/pages/{n}.html"), &format!("page {n}"));
    }
    std::fs::write(project.path().join("public/large.bin"), vec![7; 3 << 20]).unwrap();
    project
}

fn run(project: &Project, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = project.command(args);
    Ran(with_keys(&mut command).envs(variables.iter().copied()).output().unwrap())
}

fn with_keys(command: &mut Command) -> &mut Command {
    let keys = [("AWS_ACCESS_KEY_ID", EMBEDDED_ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", EMBEDDED_SECRET_KEY)];
    command.envs(keys).env("AWS_REGION", "us-east-1").env("AWS_MAX_ATTEMPTS", "2")
}

/// Creates a bucket as any client does.
pub(crate) fn create_bucket(server: SocketAddr, name: &str) {
    let created = crate::front::send(server, "PUT", &format!("/{name}"), &[]);
    assert!(created.starts_with("HTTP/1.1 200"), "{created}");
}

/// A forward proxy for HTTP: the first line of a request has the whole URL.
fn forward(request: &mut Request) -> Option<Vec<u8>> {
    let rest = request.target.strip_prefix(&format!("http://{STORE}:9000"))?;
    request.target = rest.to_owned();
    None
}

const DEPLOY: [&str; 4] = ["deploy", "--bucket", "s3://site", "--yes"];

#[test]
fn every_request_goes_through_the_http_proxy_with_its_credentials() {
    let (project, home) = (project(), Project::new());
    let server = Server::start(&home, &["--memory"]);
    create_bucket(address(&server), "site");
    let proxy = Front::start(address(&server), forward);
    let store = format!("http://{STORE}:9000");
    let url = format!("http://anna:p%40ss@{}", proxy.address);
    let deployed = run(&project, &DEPLOY, &[("AWS_ENDPOINT_URL_S3", &store), ("HTTP_PROXY", &url)]);
    assert_eq!(deployed.code(), 0, "{}", deployed.err());
    let seen = proxy.seen();
    let puts = seen.iter().filter(|request| request.method == "PUT" && request.target.contains("/site/pages/"));
    assert_eq!(puts.count(), 40);
    for request in &seen {
        assert!(request.target.starts_with(&format!("{store}/site")), "{}", request.target);
        // `anna:p@ss`
        assert_eq!(request.header("proxy-authorization"), Some("Basic YW5uYTpwQHNz"), "{}", request.target);
    }
    // Lower case and ALL_PROXY, and a host that is exempt cannot be reached from here.
    let again = run(&project, &DEPLOY, &[("AWS_ENDPOINT_URL", &store), ("all_proxy", &url)]);
    assert_eq!(again.code(), 0, "{}", again.err());
    let before = proxy.seen().len();
    assert!(before > seen.len());
    let exempt = [("AWS_ENDPOINT_URL", &*store), ("HTTP_PROXY", &url), ("NO_PROXY", "localhost, .invalid")];
    let direct = run(&project, &DEPLOY, &exempt);
    assert_eq!((direct.code(), proxy.seen().len()), (1, before), "{}", direct.err());
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() {
    let (project, nowhere) = (project(), "127.0.0.1:9".parse().unwrap());
    let proxy = Front::start(nowhere, |_: &mut Request| Some(response(407, "who are you?")));
    let url = format!("http://anna:s3cret@{}", proxy.address);
    for (store, part) in [("http://store.invalid:9000", "407"), ("https://store.invalid:9443", "through the proxy")] {
        let variables = [("AWS_ENDPOINT_URL_S3", store), ("ALL_PROXY", &url)];
        let refused = run(&project, &[&DEPLOY[..], &["--json"]].concat(), &variables);
        let said = refused.out() + &refused.err();
        assert_eq!(refused.code(), 1, "{said}");
        assert!(said.contains(part) && !said.contains("s3cret"), "{said}");
    }
    let socks = run(&project, &DEPLOY, &[("HTTPS_PROXY", "socks5://anna:s3cret@localhost:1080")]);
    assert!(
        socks.err().contains("`HTTPS_PROXY` is a SOCKS proxy") && !socks.err().contains("s3cret"),
        "{}",
        socks.err()
    );
    assert_eq!(socks.code(), 2);
}

#[test]
fn hosts_of_aws_are_asked_for_as_the_environment_says() {
    let nowhere = "127.0.0.1:9".parse().unwrap();
    let proxy = Front::start(nowhere, |_: &mut Request| Some(response(403, "")));
    let url = proxy.url();
    for (variables, host) in [
        (&[][..], "s3.us-east-1.amazonaws.com:443"),
        (&[("AWS_USE_FIPS_ENDPOINT", "true")], "s3-fips.us-east-1.amazonaws.com:443"),
        (&[("AWS_USE_DUALSTACK_ENDPOINT", "true")], "s3.dualstack.us-east-1.amazonaws.com:443"),
        (
            &[("AWS_ENDPOINT_URL", "https://x.invalid"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")],
            "s3.us-east-1.amazonaws.com:443",
        ),
        (&[("AWS_ENDPOINT_URL", "https://x.invalid")], "x.invalid:443"),
        (&[("AWS_ENDPOINT_URL", "https://x.invalid"), ("AWS_ENDPOINT_URL_S3", "https://y.invalid")], "y.invalid:443"),
    ] {
        let (project, before) = (project(), proxy.seen().len());
        let ran = run(&project, &DEPLOY, &[variables, &[("HTTPS_PROXY", &*url)]].concat());
        assert_eq!(ran.code(), 1, "{}", ran.err());
        let asked: Vec<String> = proxy.seen()[before..].iter().map(|request| request.target.clone()).collect();
        let is_bucket = |asked: &String| asked.strip_prefix("site.").unwrap_or(asked) == host;
        assert!(!asked.is_empty() && asked.iter().all(is_bucket), "{variables:?}: {asked:?} {}", ran.err());
    }
}

#[test]
fn the_endpoint_of_a_profile_is_addressed_by_path_and_overridden() {
    let (project, home) = (project(), Project::new());
    let server = Server::start(&home, &["--memory"]);
    create_bucket(address(&server), "site");
    let port = address(&server).port();
    let local = format!("http://localhost:{port}");
    let deployed = run(&project, &DEPLOY, &[("AWS_ENDPOINT_URL_S3", &local)]);
    assert_eq!(deployed.code(), 0, "{}", deployed.err());
    project.write(
        ".aws/config",
        &format!(
            "[profile all]\nendpoint_url = {local}\n[profile one]\nservices = stores\nendpoint_url = http://no.invalid\n\
             [services stores]\ns3 =\n  endpoint_url = {local}\n[profile none]\nendpoint_url = http://no.invalid\n\
             [profile typo]\nendpoint_url = localhost:9000\n"
        ),
    );
    for profile in ["all", "one"] {
        let again = run(&project, &DEPLOY, &[("AWS_PROFILE", profile)]);
        assert_eq!(again.code(), 0, "{profile}: {}", again.err());
    }
    let overridden = [&DEPLOY[..], &["--profile", "none", "--endpoint-url", &local]].concat();
    let again = run(&project, &overridden, &[("AWS_ENDPOINT_URL_S3", "http://no.invalid")]);
    assert_eq!(again.code(), 0, "{}", again.err());
    for variables in
        [&[("AWS_PROFILE", "typo")][..], &[("AWS_ENDPOINT_URL", "nonsense")], &[("AWS_ENDPOINT_URL_S3", "x")]]
    {
        let wrong = run(&project, &DEPLOY, variables);
        assert!(wrong.code() == 2 && wrong.err().contains("not an HTTP or HTTPS URL"), "{}", wrong.err());
    }
}

/// TLS with a certificate of an authority that nobody knows, in front of a server.
struct PrivateTls {
    address: SocketAddr,
    authority: String,
}

fn private_tls(behind: SocketAddr) -> PrivateTls {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    let authority = rcgen::Issuer::new(params, key);
    let server_key = rcgen::KeyPair::generate().unwrap();
    let names = vec![STORE.to_owned(), "localhost".to_owned()];
    let server = rcgen::CertificateParams::new(names).unwrap().signed_by(&server_key, &authority).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![server.der().clone()], private).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let mut tasks = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tasks.spawn(async move {
                    let Ok(mut tls) = acceptor.accept(stream).await else { return };
                    let mut plain = tokio::net::TcpStream::connect(behind).await.unwrap();
                    tokio::io::copy_bidirectional(&mut tls, &mut plain).await.ok();
                });
            }
        });
    });
    PrivateTls { address, authority: certificate.pem() }
}

#[test]
fn a_private_authority_is_trusted_if_the_environment_or_the_profile_names_it() {
    let (project, home) = (project(), Project::new());
    let server = Server::start(&home, &["--memory"]);
    create_bucket(address(&server), "site");
    let tls = private_tls(address(&server));
    let store = format!("https://localhost:{}", tls.address.port());
    project.write("ca.pem", &tls.authority);
    project.write("empty.pem", "# nothing\n");
    project.write(".aws/config", "[profile ci]\nca_bundle = ca.pem\n[profile lost]\nca_bundle = nowhere.pem\n");
    let endpoint = ("AWS_ENDPOINT_URL_S3", &*store);
    for trusted in [("AWS_CA_BUNDLE", "ca.pem"), ("AWS_PROFILE", "ci"), ("SSL_CERT_FILE", "ca.pem")] {
        let deployed = run(&project, &DEPLOY, &[endpoint, trusted]);
        assert_eq!(deployed.code(), 0, "{trusted:?}: {}", deployed.err());
    }
    // It is the only one that is trusted, and the variable counts more than the profile.
    let stranger = private_tls(address(&server));
    project.write("other.pem", &stranger.authority);
    let refused = run(&project, &DEPLOY, &[endpoint, ("AWS_PROFILE", "ci"), ("AWS_CA_BUNDLE", "other.pem")]);
    assert!(refused.code() == 1 && refused.err().contains("invalid peer certificate"), "{}", refused.err());
    for (variable, value, said) in [
        ("AWS_CA_BUNDLE", "nowhere.pem", "`nowhere.pem`"),
        ("AWS_CA_BUNDLE", "empty.pem", "`empty.pem`"),
        ("AWS_PROFILE", "lost", "`nowhere.pem`"),
    ] {
        let refused = run(&project, &DEPLOY, &[endpoint, (variable, value)]);
        assert!(refused.code() == 2 && refused.err().contains(said), "{variable}={value}: {}", refused.err());
    }
    // Through a tunnel, too.
    let proxy = Front::start(tls.address, |_: &mut Request| None);
    let url = proxy.url();
    let tunneled =
        [("AWS_ENDPOINT_URL_S3", "https://store.invalid:9443"), ("HTTPS_PROXY", &*url), ("AWS_CA_BUNDLE", "ca.pem")];
    project.write("public/about/index.html", "changed");
    let deployed = run(&project, &DEPLOY, &tunneled);
    assert_eq!(deployed.code(), 0, "{}", deployed.err());
    let seen = proxy.seen();
    assert!(
        !seen.is_empty() && seen.iter().all(|one| (&*one.method, &*one.target) == ("CONNECT", "store.invalid:9443"))
    );
}

#[test]
fn credentials_come_from_a_process_if_the_profile_says_so() {
    let (project, home) = (project(), Project::new());
    let server = Server::start(&home, &["--memory"]);
    create_bucket(address(&server), "site");
    let keys = format!("\"AccessKeyId\": \"{EMBEDDED_ACCESS_KEY}\", \"SecretAccessKey\": \"{EMBEDDED_SECRET_KEY}\"");
    project.write("keys.sh", &format!("echo '{{\"Version\": 1, {keys}}}'\n"));
    project.write(".aws/config", "[profile p]\ncredential_process = sh keys.sh\nregion = us-east-1\n");
    let front = Front::start(address(&server), |_: &mut Request| None);
    let mut command = project.command(&[&DEPLOY[..], &["--endpoint-url", &front.url(), "--profile", "p"]].concat());
    let ran = Ran(command.env("PATH", "/usr/bin:/bin").output().unwrap());
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let seen = front.seen();
    let signed = |one: &Request| one.header("authorization").is_some_and(|header| header.contains(EMBEDDED_ACCESS_KEY));
    assert!(!seen.is_empty() && seen.iter().all(signed));
}
