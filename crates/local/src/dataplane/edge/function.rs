//! CloudFront Functions, as published.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html>

use std::time::{Duration, Instant};

use http::{HeaderMap, Method};
use rquickjs::{CatchResultExt, Context, Runtime};
use serde_json::{Map, Value, json};

/// The result of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FunctionResult {
    /// The request continues, possibly with another path.
    Request {
        /// The path.
        uri: String,
    },
    /// The function generated a response.
    Response {
        /// The status.
        status: u16,
        /// Headers by name.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
}

/// The memory limit of a function.
const MEMORY_LIMIT: usize = 16 << 20;

/// How long a function may run. CloudFront allows about a millisecond; this machine may be busy.
const TIME_LIMIT: Duration = Duration::from_millis(250);

/// The request that a function sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewerRequest<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a str,
    pub(super) host: &'a str,
    pub(super) headers: &'a HeaderMap,
}

/// Values by name; `multiValue` has all of a name that comes more than once.
fn by_name<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let Some(entry) = all.get_mut(name) else {
            all.insert(name.to_owned(), json!({"value": value}));
            continue;
        };
        if entry["multiValue"].is_null() {
            entry["multiValue"] = json!([{"value": entry["value"]}]);
        }
        if let Some(values) = entry["multiValue"].as_array_mut() {
            values.push(json!({"value": value}));
        }
    }
    Value::Object(all)
}

fn event(request: &ViewerRequest<'_>, query: &str) -> Value {
    let ViewerRequest { method, uri, host, headers } = request;
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let query = by_name(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))));
    let sent = headers.iter().filter(|(name, _)| !["cookie", "host"].contains(&name.as_str()));
    let sent = sent.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let cookies = headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let cookies = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    json!({
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "127.0.0.1"},
        "request": {
            "method": method.as_str(),
            "uri": uri,
            "querystring": query,
            "headers": by_name(sent.chain([("host", *host)])),
            "cookies": by_name(cookies),
        },
    })
}

/// Runs a viewer-request function.
pub(super) fn run(code: &str, request: &ViewerRequest<'_>, query: &str) -> Result<FunctionResult, String> {
    let event = event(request, query);
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    runtime.set_memory_limit(MEMORY_LIMIT);
    let started = Instant::now();
    runtime.set_interrupt_handler(Some(Box::new(move || started.elapsed() > TIME_LIMIT)));
    let context = Context::full(&runtime).map_err(|error| error.to_string())?;
    let script = format!("{code}\n;JSON.stringify(handler({event}))");
    let json: String = context.with(|ctx| ctx.eval(script).catch(&ctx).map_err(|error| error.to_string()))?;
    let answer: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match answer["statusCode"].as_u64() {
        Some(status) => {
            let fields = answer["headers"].as_object().into_iter().flatten();
            let headers = fields.map(|(name, value)| (name.clone(), text(&value["value"]))).collect();
            let status = u16::try_from(status).unwrap_or(500);
            Ok(FunctionResult::Response { status, headers, body: body(&answer["body"])? })
        }
        None => Ok(FunctionResult::Request { uri: text(&answer["uri"]) }),
    }
}

/// The body of a generated response: a text, or an object with its encoding.
fn body(value: &Value) -> Result<Vec<u8>, String> {
    let data = value.as_str().or(value["data"].as_str()).unwrap_or_default();
    match value["encoding"].as_str() {
        Some("base64") => base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data)
            .map_err(|error| format!("the body is not base64: {error}")),
        None | Some("text") => Ok(data.as_bytes().to_vec()),
        Some(other) => Err(format!("the encoding of the body is `{other}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(code: &str, uri: &str, query: &str) -> Result<FunctionResult, String> {
        let mut headers = HeaderMap::new();
        headers.insert("x-a", "v".parse().unwrap());
        headers.insert("cookie", "who=me; b=c".parse().unwrap());
        run(code, &ViewerRequest { method: &Method::GET, uri, host: "h", headers: &headers }, query)
    }

    #[test]
    fn functions_change_requests_or_generate_responses() {
        let code = "function handler(event) { var r = event.request; if (r.uri === '/old') { return { statusCode: 301, \
                    headers: { location: { value: '/new' } } }; } r.uri += 'index.html'; return r; }";
        assert_eq!(visit(code, "/a/", ""), Ok(FunctionResult::Request { uri: "/a/index.html".into() }));
        let moved = FunctionResult::Response {
            status: 301,
            headers: vec![("location".into(), "/new".into())],
            body: Vec::new(),
        };
        assert_eq!(visit(code, "/old", ""), Ok(moved));
        assert!(visit("function handler() { throw new Error('no'); }", "/", "").unwrap_err().contains("no"));
        assert!(visit("syntax error", "/", "").is_err());
    }

    #[test]
    fn generated_responses_have_a_body() {
        for (body, expected) in [("'a'", "a"), ("{ data: 'a' }", "a"), ("{ encoding: 'base64', data: 'YQ==' }", "a")] {
            let code = format!("function handler() {{ return {{ statusCode: 200, body: {body} }}; }}");
            let Ok(FunctionResult::Response { body, .. }) = visit(&code, "/", "") else { panic!("no response") };
            assert_eq!(body, expected.as_bytes());
        }
    }

    #[test]
    fn functions_see_the_request() {
        let code = "function handler(event) { var r = event.request; r.uri = [r.method, r.querystring.a.value, \
                    r.querystring.b.multiValue.length, r.headers.host.value, r.headers['x-a'].value, \
                    r.cookies.who.value].join('|'); return r; }";
        let uri = "GET|1%202|2|h|v|me".to_owned();
        assert_eq!(visit(code, "/", "a=1%202&b=1&b=2"), Ok(FunctionResult::Request { uri }));
    }

    #[test]
    fn a_function_that_does_not_end_is_interrupted() {
        let started = Instant::now();
        assert!(visit("function handler(event) { while (true) {} }", "/", "").is_err());
        assert!(visit("while (true) {}", "/", "").is_err());
        assert!(started.elapsed() < TIME_LIMIT * 20);
    }
}
