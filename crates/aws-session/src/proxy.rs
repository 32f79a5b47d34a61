//! Which requests go through a proxy.

use std::fmt;
use std::net::IpAddr;

use aws_smithy_http_client::proxy::ProxyConfig;
use url::{Host, Url};

use crate::error::SessionError;
use crate::settings::{Setting, Settings};

/// The proxies that the environment names.
///
/// The variables are those of other tools: `HTTPS_PROXY` for HTTPS, `HTTP_PROXY` for HTTP, `ALL_PROXY` where these are not set, and
/// `NO_PROXY` for hosts that are requested directly. Names in lower case take precedence, as in curl and Python.
/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-proxy.html>
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    pub(crate) http: Option<Proxy>,
    pub(crate) https: Option<Proxy>,
    direct: Vec<Direct>,
}

/// A proxy. Its URL may contain credentials, so it is never shown.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// The environment variable that names it.
    pub(crate) variable: &'static str,
    url: Url,
}

/// Hosts that are requested directly: an entry of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Direct {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// A domain and its subdomains.
    Domain(String),
    /// The addresses whose first bits are these.
    Network {
        address: IpAddr,
        bits: u8,
    },
}

impl Proxies {
    /// Those of the environment.
    pub(crate) fn configured(settings: &Settings) -> Result<Self, SessionError> {
        let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| settings.variable(name));
        let all = first(["all_proxy", "ALL_PROXY"]);
        let https = first(["https_proxy", "HTTPS_PROXY"]).or_else(|| all.clone());
        // In CGI, `HTTP_PROXY` is the `Proxy` header of a request: <https://httpoxy.org/>.
        let is_cgi = settings.variable("REQUEST_METHOD").is_some();
        let http = settings.variable("http_proxy");
        let http = http.or_else(|| settings.variable("HTTP_PROXY").filter(|_| !is_cgi)).or(all);
        let direct = first(["no_proxy", "NO_PROXY"]).map(|setting| setting.value).unwrap_or_default();
        let entries = direct.split(|c: char| c == ',' || c.is_whitespace());
        Ok(Self {
            http: http.map(Proxy::of).transpose()?,
            https: https.map(Proxy::of).transpose()?,
            direct: entries.filter_map(Direct::of).collect(),
        })
    }

    /// The proxy for a request to this URL; `None` if it is sent directly.
    pub(crate) fn of(&self, url: &Url) -> Option<&Proxy> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        let (host, port) = (url.host()?, url.port_or_known_default());
        let is_direct = is_link_local(&host) || self.direct.iter().any(|direct| direct.matches(&host, port));
        proxy.as_ref().filter(|_| !is_direct)
    }
}

/// True of the addresses at which instances and containers get their credentials. A proxy would ask for its own.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
fn is_link_local(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_link_local(),
        Host::Ipv6(address) => address.is_unicast_link_local() || address.segments()[..2] == [0xfd00, 0x0ec2],
        Host::Domain(_) => false,
    }
}

impl Proxy {
    fn of(setting: Setting) -> Result<Self, SessionError> {
        let Setting { name: variable, value } = setting;
        let wrong = |problem| Err(SessionError::Proxy { variable, problem });
        let text = if value.contains("://") { value } else { format!("http://{value}") };
        let Ok(url) = text.parse::<Url>() else { return wrong("is not a URL") };
        match url.scheme() {
            "http" | "https" if url.host().is_some() => Ok(Self { variable, url }),
            "http" | "https" => wrong("has no host"),
            scheme if scheme.starts_with("socks") => {
                wrong("is a SOCKS proxy; only HTTP proxies are supported, with http:// or https://")
            }
            _ => wrong("is not the URL of an HTTP proxy"),
        }
    }

    /// As the HTTP client wants it.
    pub(crate) fn config(&self) -> ProxyConfig {
        // A URL with a scheme and a host is always accepted.
        ProxyConfig::all(self.url.as_str()).unwrap_or_else(|_| ProxyConfig::disabled())
    }
}

/// Without credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.url.scheme(), self.url.host_str().unwrap_or_default())?;
        self.url.port().map_or(Ok(()), |port| write!(f, ":{port}"))?;
        write!(f, " (from {})", self.variable)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl Direct {
    fn of(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self { hosts: Hosts::All, port: None });
        }
        if let Some(hosts) = Hosts::network(entry) {
            return Some(Self { hosts, port: None });
        }
        let (host, port) = match entry.rsplit_once(':').filter(|_| !entry.ends_with(']')) {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if let Some(hosts) = Hosts::network(address) {
            return Some(Self { hosts, port });
        }
        let domain = host.strip_prefix("*.").or_else(|| host.strip_prefix('.')).unwrap_or(host);
        let domain = domain.trim_end_matches('.').to_ascii_lowercase();
        (!domain.is_empty()).then_some(Self { hosts: Hosts::Domain(domain), port })
    }

    fn matches(&self, host: &Host<&str>, port: Option<u16>) -> bool {
        let is_host = match (&self.hosts, host) {
            (Hosts::All, _) => true,
            (Hosts::Domain(domain), Host::Domain(host)) => {
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Hosts::Network { address, bits }, Host::Ipv4(host)) => {
                shares_bits(address.to_canonical(), IpAddr::V4(*host), *bits)
            }
            (Hosts::Network { address, bits }, Host::Ipv6(host)) => shares_bits(*address, IpAddr::V6(*host), *bits),
            (Hosts::Domain(_), Host::Ipv4(_) | Host::Ipv6(_)) | (Hosts::Network { .. }, Host::Domain(_)) => false,
        };
        is_host && self.port.is_none_or(|wanted| Some(wanted) == port)
    }
}

impl Hosts {
    /// An address, or a network such as `10.0.0.0/8`.
    fn network(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u8>().ok()?)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self::Network { address, bits })
    }
}

fn shares_bits(a: IpAddr, b: IpAddr, bits: u8) -> bool {
    let (a, b, all) = match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32_u32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    bits == 0 || (a ^ b) >> all.saturating_sub(u32::from(bits)) == 0
}

#[cfg(test)]
mod tests {
    use aws_types::os_shim_internal::{Env, Fs};

    use super::*;

    async fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, SessionError> {
        let settings = Settings::read(Env::from_slice(variables), &Fs::from_slice(&[]), None).await;
        Proxies::configured(&settings)
    }

    async fn proxy_of(variables: &[(&str, &str)], url: &str) -> String {
        let proxies = proxies(variables).await.unwrap();
        proxies.of(&url.parse().unwrap()).map_or("direct".to_owned(), ToString::to_string)
    }

    /// The lines that are marked with `py` were confirmed with `urllib.request.getproxies` and `proxy_bypass` of Python 3; ports,
    /// networks and `*.` are those of curl and Go.
    #[tokio::test]
    async fn hosts_of_no_proxy_are_requested_directly() {
        for (list, url, direct) in [
            ("example.com", "https://example.com/", true),          // py
            ("example.com", "https://www.example.com/", true),      // py
            (".example.com", "https://www.example.com/", true),     // py
            (".example.com", "https://example.com/", true),         // py
            ("example.com", "https://notexample.com/", false),      // py
            ("EXAMPLE.com", "https://www.Example.COM/", true),      // py
            ("*", "https://s3.amazonaws.com/", true),               // py
            ("a.b, example.com", "https://example.com/", true),     // py
            ("a.b example.com", "https://example.com/", true),      // curl
            ("localhost", "http://localhost:9000/", true),          // py
            ("localhost:9000", "http://localhost:9000/", true),     // py
            ("localhost:9001", "http://localhost:9000/", false),    // py
            ("localhost:80", "http://localhost/", true),            // Go
            ("example.com:443", "https://www.example.com/", true),  // Go
            ("example.com:444", "https://www.example.com/", false), // Go
            ("127.0.0.1", "http://127.0.0.1:9000/", true),          // py
            ("127.0.0.1:9000", "http://127.0.0.1:9000/", true),     // py
            ("127.0.0.0/8", "http://127.0.0.1:9000/", true),        // curl, Go
            ("10.0.0.0/8", "http://11.0.0.1/", false),
            ("10.1.0.0/16", "http://10.1.2.3/", true),
            ("0.0.0.0/0", "http://10.1.2.3/", true),
            ("10.0.0.0/33", "http://10.0.0.1/", false),
            ("::1", "http://[::1]:9000/", true),
            ("[::1]", "http://[::1]:9000/", true),
            ("[::1]:9000", "http://[::1]:9000/", true),
            ("[::1]:9001", "http://[::1]:9000/", false),
            ("fd00::/8", "http://[fd12::1]/", true),
            ("*.example.com", "https://www.example.com/", true), // Go
            ("0.0.1", "http://10.0.0.1/", false),
            ("example.com.", "https://www.example.com./", true),
            ("", "https://example.com/", false), // py
            (",,", "https://example.com/", false),
        ] {
            let variables = [("HTTP_PROXY", "http://p:1"), ("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", list)];
            assert_eq!(proxy_of(&variables, url).await == "direct", direct, "NO_PROXY={list} {url}");
        }
    }

    #[tokio::test]
    async fn the_scheme_of_the_request_selects_the_variable() {
        let (http, https) = ("http://bucket.example.com/", "https://bucket.example.com/");
        let both = [("HTTP_PROXY", "http://plain:3128"), ("HTTPS_PROXY", "http://tunnel:3128")];
        assert_eq!(proxy_of(&both, http).await, "http://plain:3128 (from HTTP_PROXY)");
        assert_eq!(proxy_of(&both, https).await, "http://tunnel:3128 (from HTTPS_PROXY)");
        assert_eq!(proxy_of(&both[..1], https).await, "direct");
        assert_eq!(proxy_of(&[("ALL_PROXY", "a:1")], https).await, "http://a:1 (from ALL_PROXY)");
        let lower = [("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "http://lower:1")];
        assert_eq!(proxy_of(&lower, https).await, "http://lower:1 (from https_proxy)");
        let cgi = [("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(proxy_of(&cgi, http).await, "direct");
        assert_eq!(proxy_of(&both, "http://169.254.169.254/latest/meta-data").await, "direct");
        assert_eq!(proxy_of(&both, "http://[fd00:ec2::254]/latest/meta-data").await, "direct");
    }

    #[tokio::test]
    async fn credentials_of_a_proxy_are_never_shown() {
        let variables = [("HTTPS_PROXY", "http://anna:s3cret@proxy.example.com:8080")];
        let proxies = proxies(&variables).await.unwrap();
        let shown = format!("{proxies:?} {}", proxies.https.as_ref().unwrap());
        assert!(shown.contains("proxy.example.com:8080") && !shown.contains("s3cret"), "{shown}");
    }

    #[tokio::test]
    async fn a_proxy_that_cannot_be_used_is_refused() {
        for (url, part) in [
            ("socks5://anna:s3cret@p:1080", "SOCKS"),
            ("ftp://s3cret@p", "not the URL of an HTTP proxy"),
            ("http://", "is not a URL"),
            ("http://s3cret:x@:80", "is not a URL"),
        ] {
            let error = proxies(&[("ALL_PROXY", url)]).await.unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("ALL_PROXY") && !error.contains("s3cret"), "{error}");
        }
    }
}
