//! A server in front of another one: a proxy, or a store that does less than S3. It sees every request, and may answer it itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use twinsite_aws::{EMBEDDED_ACCESS_KEY, EMBEDDED_SECRET_KEY};

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// As in the first line: a path, a URL, or a host and port.
    pub(crate) target: String,
    /// With names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn remove(&mut self, remove: impl Fn(&str) -> bool) {
        self.headers.retain(|(name, _)| !remove(name));
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Signs it, again if it was signed: the signature covers headers and host.
    #[expect(clippy::disallowed_methods, reason = "a signature has a time")]
    pub(crate) fn sign(&mut self) {
        self.remove(|name| name == "authorization" || name == "x-amz-date");
        let body = match self.header("x-amz-content-sha256") {
            None | Some("UNSIGNED-PAYLOAD") => SignableBody::UnsignedPayload,
            Some(digest) => SignableBody::Precomputed(digest.to_owned()),
        };
        let keys = Credentials::new(EMBEDDED_ACCESS_KEY, EMBEDDED_SECRET_KEY, None, None, "test").into();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = v4::SigningParams::builder().identity(&keys).region("us-east-1").name("s3");
        let params = params.time(std::time::SystemTime::now()).settings(settings).build().unwrap().into();
        let url = format!("http://{}{}", self.header("host").unwrap(), self.target);
        let signed = ["host", "content-type", "content-md5"];
        let headers =
            self.headers.iter().filter(|(name, _)| name.starts_with("x-amz-") || signed.contains(&name.as_str()));
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(&self.method, url, headers, body).unwrap();
        let (instructions, _) = sign(request, &params).unwrap().into_parts();
        let added: Vec<_> = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.remove(|name| added.iter().any(|(added, _)| added == name));
        self.headers.extend(added);
    }

    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut request = Self { method: words.next()?, target: words.next()?, ..Self::default() };
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
            let Some((name, value)) = line.split_once(':') else { break };
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if request.header("expect").is_some() {
            stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
            request.remove(|name| name == "expect");
        }
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
        request.body = vec![0; length];
        stream.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    /// Sends it on, and returns the whole response.
    pub(crate) fn forward(&self, to: SocketAddr) -> Vec<u8> {
        let mut stream = TcpStream::connect(to).unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "connection") {
            head.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
        }
        head.push_str("connection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // A server may refuse a request before it has read the body.
        stream.write_all(&self.body).ok();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).ok();
        response
    }
}

/// A response that the front makes itself.
pub(crate) fn response(status: u16, body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body.as_bytes()].concat()
}

/// An error in the form of S3.
pub(crate) fn s3_error(status: u16, code: &str) -> Vec<u8> {
    response(status, &format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>"))
}

/// What a front does with a request, and with the response to it.
pub(crate) trait Rule: Send + Sync + 'static {
    /// Changes the request, or answers it.
    fn request(&self, request: &mut Request) -> Option<Vec<u8>>;

    /// Changes a response of the server behind.
    fn response(&self, _: &Request, response: Vec<u8>) -> Vec<u8> {
        response
    }
}

impl<F: Fn(&mut Request) -> Option<Vec<u8>> + Send + Sync + 'static> Rule for F {
    fn request(&self, request: &mut Request) -> Option<Vec<u8>> {
        self(request)
    }
}

/// A server in front of another one.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Front {
    pub(crate) fn start(behind: SocketAddr, rule: impl Rule) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::default());
        let (log, rule): (Arc<Mutex<Vec<Request>>>, _) = (Arc::clone(&seen), Arc::new(rule));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, rule, mut stream) = (Arc::clone(&log), Arc::clone(&rule), BufReader::new(stream.unwrap()));
                std::thread::spawn(move || {
                    let Some(mut request) = Request::read(&mut stream) else { return };
                    log.lock().unwrap().push(request.clone());
                    let answer = rule.request(&mut request);
                    if request.method == "CONNECT" && answer.is_none() {
                        return tunnel(stream.into_inner(), behind);
                    }
                    let answer = answer.unwrap_or_else(|| rule.response(&request, request.forward(behind)));
                    stream.get_mut().write_all(&answer).ok();
                });
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

fn tunnel(mut client: TcpStream, behind: SocketAddr) {
    let mut server = TcpStream::connect(behind).unwrap();
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        std::io::copy(&mut from, &mut to).ok();
        to.shutdown(std::net::Shutdown::Write).ok();
    });
    std::io::copy(&mut server, &mut client).ok();
    client.shutdown(std::net::Shutdown::Write).ok();
}

/// Sends one request without a body, and returns the whole response.
pub(crate) fn send(to: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let host = ("host".to_owned(), to.to_string());
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let headers = [host, ("content-length".to_owned(), "0".to_owned())].into_iter().chain(headers).collect();
    let mut request = Request { method: method.to_owned(), target: target.to_owned(), headers, body: Vec::new() };
    request.sign();
    String::from_utf8_lossy(&request.forward(to)).into_owned()
}
