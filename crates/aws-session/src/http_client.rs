//! The HTTP client of all services: through proxies where the environment names any, with the trusted certificates that are
//! configured.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use twinsite_aws::ResponseHost;
use url::Url;

use crate::error::SessionError;
use crate::proxy::Proxies;
use crate::settings::Settings;
use crate::trust;

/// The client that the environment and the profile ask for.
pub(crate) fn configured(settings: &Settings, proxies: Proxies) -> Result<SharedHttpClient, SessionError> {
    let tls = trust::configured(settings)?;
    Ok(SharedHttpClient::new(RoutingClient {
        direct: client(&tls, &ProxyConfig::disabled()),
        http: proxies.http.as_ref().map(|proxy| client(&tls, &proxy.config())),
        https: proxies.https.as_ref().map(|proxy| client(&tls, &proxy.config())),
        proxies: Arc::new(proxies),
    }))
}

/// A client all of whose requests take the same way. It keeps connections for each set of timeouts.
fn client(tls: &TlsContext, proxy: &ProxyConfig) -> SharedHttpClient {
    let (tls, proxy) = (tls.clone(), proxy.clone());
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder().proxy_config(proxy.clone());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).build()
    })
}

/// Decides for each request which way it takes: the client of the SDK knows neither ports in `NO_PROXY` nor two proxies.
#[derive(Debug)]
struct RoutingClient {
    proxies: Arc<Proxies>,
    direct: SharedHttpClient,
    http: Option<SharedHttpClient>,
    https: Option<SharedHttpClient>,
}

impl HttpClient for RoutingClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = |client: &SharedHttpClient| client.http_connector(settings, components);
        SharedHttpConnector::new(RoutingConnector {
            proxies: Arc::clone(&self.proxies),
            direct: connector(&self.direct),
            http: self.http.as_ref().map(connector),
            https: self.https.as_ref().map(connector),
        })
    }
}

#[derive(Debug)]
struct RoutingConnector {
    proxies: Arc<Proxies>,
    direct: SharedHttpConnector,
    http: Option<SharedHttpConnector>,
    https: Option<SharedHttpConnector>,
}

impl HttpConnector for RoutingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let url = request.uri().parse::<Url>().ok();
        let proxy = url.as_ref().and_then(|url| self.proxies.of(url)).cloned();
        let proxied = match url.as_ref().map(Url::scheme) {
            Some("https") => self.https.as_ref(),
            _ => self.http.as_ref(),
        };
        let host = ResponseHost::of(url.as_ref().map(|url| &url[url::Position::BeforeHost..url::Position::AfterPort]));
        let connector = proxy.as_ref().and(proxied).unwrap_or(&self.direct);
        let call = connector.call(request);
        HttpConnectorFuture::new(async move {
            match (call.await, proxy) {
                (Ok(mut response), _) => {
                    response.add_extension(host);
                    Ok(response)
                }
                (Err(error), None) => Err(error),
                (Err(error), Some(proxy)) => {
                    let failure = ProxyFailure { proxy: proxy.to_string(), reason: innermost(&error) };
                    Err(same_kind(&error, failure))
                }
            }
        })
    }
}

/// A request that could not be sent through a proxy. Its message has the reason, and the proxy without its credentials.
#[derive(Debug)]
struct ProxyFailure {
    proxy: String,
    reason: String,
}

impl fmt::Display for ProxyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "through the proxy {}: {}", self.proxy, self.reason)
    }
}

impl Error for ProxyFailure {}

/// What the SDK decides by whether it retries.
fn same_kind(error: &ConnectorError, failure: ProxyFailure) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(failure.into())
    } else if error.is_user() {
        ConnectorError::user(failure.into())
    } else if error.is_io() {
        ConnectorError::io(failure.into())
    } else {
        ConnectorError::other(failure.into(), error.as_other())
    }
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
