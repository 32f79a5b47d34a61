//! CloudFront Functions, as published.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html>

use rquickjs::{CatchResultExt, Context, Runtime};
use serde_json::{Value, json};

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
    },
}

/// The memory limit of a function.
const MEMORY_LIMIT: usize = 16 << 20;

/// Runs a viewer-request function.
pub(super) fn run(code: &str, method: &str, uri: &str, host: &str) -> Result<FunctionResult, String> {
    let event = json!({
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "127.0.0.1"},
        "request": {
            "method": method, "uri": uri, "querystring": {}, "headers": {"host": {"value": host}}, "cookies": {},
        },
    });
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    runtime.set_memory_limit(MEMORY_LIMIT);
    let context = Context::full(&runtime).map_err(|error| error.to_string())?;
    let script = format!("{code}\n;JSON.stringify(handler({event}))");
    let json: String = context.with(|ctx| ctx.eval(script).catch(&ctx).map_err(|error| error.to_string()))?;
    let answer: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match answer["statusCode"].as_u64() {
        Some(status) => {
            let fields = answer["headers"].as_object().into_iter().flatten();
            let headers = fields.map(|(name, value)| (name.clone(), text(&value["value"]))).collect();
            Ok(FunctionResult::Response { status: u16::try_from(status).unwrap_or(500), headers })
        }
        None => Ok(FunctionResult::Request { uri: text(&answer["uri"]) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_change_requests_or_generate_responses() {
        let code = "function handler(event) { var r = event.request; if (r.uri === '/old') { return { statusCode: 301, \
                    headers: { location: { value: '/new' } } }; } r.uri += 'index.html'; return r; }";
        assert_eq!(run(code, "GET", "/a/", "h"), Ok(FunctionResult::Request { uri: "/a/index.html".into() }));
        let moved = FunctionResult::Response { status: 301, headers: vec![("location".into(), "/new".into())] };
        assert_eq!(run(code, "GET", "/old", "h"), Ok(moved));
        assert!(run("function handler() { throw new Error('no'); }", "GET", "/", "h").unwrap_err().contains("no"));
        assert!(run("syntax error", "GET", "/", "h").is_err());
    }
}
