//! CloudFront Functions, as published.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html>

use std::time::{Duration, Instant};

use std::net::IpAddr;

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use rquickjs::{CatchResultExt, Context, Ctx, Function, Module, Object, Promise, Runtime};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::rules::OriginChange;
use crate::cloudfront::Pairs;

/// The result of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FunctionResult {
    /// The request continues, possibly with another path and another origin.
    Request {
        /// The path.
        uri: String,
        /// How the origin of the request was modified, if it was.
        origin: Option<OriginChange>,
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
    /// The address of the viewer.
    pub(super) ip: IpAddr,
}

/// The runtime of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JsRuntime {
    /// `cloudfront-js-1.0`, which has no modules.
    One,
    /// `cloudfront-js-2.0`.
    Two,
}

/// A published function.
#[derive(Clone, Debug)]
pub(super) struct PublishedFunction {
    pub(super) code: String,
    pub(super) runtime: JsRuntime,
    /// What its module `cloudfront` knows.
    pub(super) module: ModuleData,
}

/// What the module `cloudfront` knows of the function and the request.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct ModuleData {
    /// The key value store that is associated with the function.
    pub(super) store: Option<StoreData>,
    /// The ids of the distribution's origins.
    pub(super) origins: Vec<String>,
}

/// A key value store as an edge sees it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StoreData {
    pub(super) id: String,
    pub(super) created: String,
    pub(super) updated: String,
    pub(super) unreadable: bool,
    pub(super) keys: Pairs,
}

/// The globals of runtime 2.0.
const RUNTIME: &str = include_str!("runtime.js");

/// What they need of this process.
fn native<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    let hmac = |key: String, message: String| {
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map(|mac| mac.chain_update(message.as_bytes()));
        mac.map(|mac| hex::encode(mac.finalize().into_bytes())).unwrap_or_default()
    };
    // Characters that are none of base64 are skipped, and what is no UTF-8 is replaced, as in Node.js.
    let from_base64 = |text: String| {
        let text: String = text.split('=').next().unwrap_or_default().replace('-', "+").replace('_', "/");
        let text: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || "+/".contains(*c)).collect();
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        let bytes = base64::Engine::decode(&GeneralPurpose::new(&base64::alphabet::STANDARD, config), text);
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    };
    native.set("hmacSha256", Function::new(ctx.clone(), hmac)?)?;
    native.set("fromBase64", Function::new(ctx.clone(), from_base64)?)?;
    Ok(native)
}

/// The module `cloudfront`. `EDGE` stands for [`ModuleData`].
const MODULE: &str = include_str!("cloudfront.js");

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
    let ViewerRequest { method, uri, host, headers, ip } = request;
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let query = by_name(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))));
    let sent = headers.iter().filter(|(name, _)| !["cookie", "host"].contains(&name.as_str()));
    let sent = sent.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let cookies = headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let cookies = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    json!({
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": ip.to_string()},
        "request": {
            "method": method.as_str(),
            "uri": uri,
            "querystring": query,
            "headers": by_name(sent.chain([("host", *host)])),
            "cookies": by_name(cookies),
        },
    })
}

/// Headers that functions cannot set: CloudFront answers 502 if one does. Prefixes end with a hyphen.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html>
const DISALLOWED: [&str; 15] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-",
    "trailer",
    "upgrade",
    "x-accel-",
    "x-amz-cf-",
    "x-amzn-",
    "x-cache",
    "x-edge-",
    "x-forwarded-proto",
    "x-real-ip",
    "transfer-encoding",
    "via",
];

/// Runs a viewer-response function; returns the headers of the response as it wants them.
pub(super) fn run_on_response(
    function: &PublishedFunction,
    request: &ViewerRequest<'_>,
    query: Option<&str>,
    (status, headers): (StatusCode, &HeaderMap),
) -> Result<HeaderMap, String> {
    let mut event = event(request, query.unwrap_or_default());
    event["context"]["eventType"] = json!("viewer-response");
    let shown = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    event["response"] = json!({
        "statusCode": status.as_u16(),
        "statusDescription": status.canonical_reason().unwrap_or_default(),
        "headers": by_name(shown),
        "cookies": {},
    });
    let outcome = evaluate(function, &event, query)?;
    let fields = outcome[0]["headers"].as_object().ok_or("it returned no response")?;
    let mut changed = HeaderMap::new();
    for (name, field) in fields {
        let is_disallowed = |one: &&str| name == *one || one.ends_with('-') && name.starts_with(one);
        let is_new = !headers.contains_key(name.as_str());
        if is_new && DISALLOWED.iter().any(is_disallowed) {
            return Err(format!("it adds the header {name}, which is not allowed"));
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header"))?;
        let value = field["value"].as_str().unwrap_or_default();
        let value = HeaderValue::from_str(value).map_err(|_| format!("the value of {name} is no header value"))?;
        changed.insert(name, value);
    }
    Ok(changed)
}

/// Runs a viewer-request function.
pub(super) fn run(
    function: &PublishedFunction,
    request: &ViewerRequest<'_>,
    query: Option<&str>,
) -> Result<FunctionResult, String> {
    let outcome = evaluate(function, &event(request, query.unwrap_or_default()), query)?;
    let answer = &outcome[0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match answer["statusCode"].as_u64() {
        Some(status) => {
            let fields = answer["headers"].as_object().into_iter().flatten();
            let headers = fields.map(|(name, value)| (name.clone(), text(&value["value"]))).collect();
            let status = u16::try_from(status).unwrap_or(500);
            Ok(FunctionResult::Response { status, headers, body: body(&answer["body"])? })
        }
        None => Ok(FunctionResult::Request { uri: text(&answer["uri"]), origin: OriginChange::parse(&outcome[1]) }),
    }
}

/// What a function returns for an event, and how it has modified the origin.
fn evaluate(function: &PublishedFunction, event: &Value, query: Option<&str>) -> Result<Value, String> {
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    runtime.set_memory_limit(MEMORY_LIMIT);
    let started = Instant::now();
    runtime.set_interrupt_handler(Some(Box::new(move || started.elapsed() > TIME_LIMIT)));
    let context = Context::full(&runtime).map_err(|error| error.to_string())?;
    let json: String = context.with(|ctx| {
        let result = match function.runtime {
            JsRuntime::One => ctx.eval(format!("{}\n;JSON.stringify([handler({event}), null])", function.code)),
            JsRuntime::Two => run_module(&ctx, function, event, query),
        };
        result.catch(&ctx).map_err(|error| error.to_string())
    })?;
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

/// Runs a function of runtime 2.0, which is a module, and whose handler may be asynchronous. The result is the handler's and how the
/// origin was modified, as JSON.
fn run_module<'js>(
    ctx: &Ctx<'js>,
    function: &PublishedFunction,
    event: &Value,
    query: Option<&str>,
) -> rquickjs::Result<String> {
    ctx.globals().set("native", native(ctx)?)?;
    ctx.eval::<(), _>(RUNTIME)?;
    let raw_query = query.map_or_else(|| "undefined".to_owned(), |query| Value::from(query).to_string());
    let data = serde_json::to_string(&function.module).unwrap_or_default();
    Module::declare(ctx.clone(), "cloudfront", MODULE.replacen("EDGE;", &format!("{data};"), 1))?;
    let code = format!("{}\nexport {{ handler as publishedHandler }};\n", function.code);
    Module::declare(ctx.clone(), "function", code)?;
    let main = format!(
        "import {{ publishedHandler }} from 'function';\nimport {{ modified }} from 'cloudfront';\n\
         const event = {event};\n\
         Object.defineProperty(event.request, 'rawQueryString', {{ value: () => {raw_query} }});\n\
         export const result = (async () => JSON.stringify([await publishedHandler(event), modified()]))();\n"
    );
    let (module, evaluated) = Module::declare(ctx.clone(), "main", main)?.eval()?;
    evaluated.finish::<()>()?;
    module.get::<_, Promise<'js>>("result")?.finish()
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
        let ip = "203.0.113.9".parse().unwrap();
        let request = ViewerRequest { method: &Method::GET, uri, host: "h", headers: &headers, ip };
        let results = [JsRuntime::One, JsRuntime::Two].map(|runtime| {
            let function = PublishedFunction { code: code.to_owned(), runtime, module: ModuleData::default() };
            run(&function, &request, Some(query))
        });
        let [one, two] = results;
        assert_eq!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
        two.inspect(|two| assert_eq!(one.as_ref(), Ok(two)))
    }

    fn with_store(code: &str) -> Result<FunctionResult, String> {
        let keys = [("a", "1"), ("j", "{\"b\":2}")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let store = StoreData {
            id: "u".to_owned(),
            created: "2026-11-28T00:00:00Z".to_owned(),
            updated: "2026-11-28T00:00:01Z".to_owned(),
            unreadable: false,
            keys: keys.into(),
        };
        let module = ModuleData { store: Some(store), origins: vec!["primary".into(), "backup".into()] };
        let function = PublishedFunction { code: code.to_owned(), runtime: JsRuntime::Two, module };
        let (headers, ip) = (HeaderMap::new(), "203.0.113.9".parse().unwrap());
        run(&function, &ViewerRequest { method: &Method::GET, uri: "/", host: "h", headers: &headers, ip }, None)
    }

    /// The request with the value of an expression as its path.
    fn value_of(expression: &str) -> Result<String, String> {
        let code = format!(
            "import cf from 'cloudfront';\nasync function handler(event) {{ const kvs = cf.kvs();\n\
             event.request.uri = String({expression}); return event.request; }}"
        );
        match with_store(&code)? {
            FunctionResult::Request { uri, .. } => Ok(uri),
            FunctionResult::Response { .. } => panic!("a response"),
        }
    }

    #[test]
    fn the_module_reads_the_key_value_store() {
        assert_eq!(value_of("await kvs.get('a')").as_deref(), Ok("1"));
        assert_eq!(value_of("(await kvs.get('j', { format: 'json' })).b").as_deref(), Ok("2"));
        assert_eq!(value_of("[await kvs.exists('a'), await kvs.exists('x')]").as_deref(), Ok("true,false"));
        assert_eq!(value_of("(await kvs.meta()).keyCount + await kvs.count()").as_deref(), Ok("4"));
        assert_eq!(value_of("await cf.kvs('u').get('a')").as_deref(), Ok("1"));
        assert!(value_of("await kvs.get('x')").unwrap_err().contains("KeyNotFound"));
        assert!(value_of("await cf.kvs('other').get('a')").unwrap_err().contains("KVSNamespaceNotFound"));
        let unassociated =
            "import cf from 'cloudfront'; const kvs = cf.kvs(); function handler(e) { return e.request; }";
        let function =
            PublishedFunction { code: unassociated.to_owned(), runtime: JsRuntime::Two, module: ModuleData::default() };
        let (headers, ip) = (HeaderMap::new(), "203.0.113.9".parse().unwrap());
        let request = ViewerRequest { method: &Method::GET, uri: "/", host: "h", headers: &headers, ip };
        assert!(run(&function, &request, None).unwrap_err().contains("KVSNamespaceNotFound"));
        // Runtime 1.0 has no modules.
        let function = PublishedFunction { runtime: JsRuntime::One, ..function };
        assert!(run(&function, &request, None).is_err());
    }

    #[test]
    fn the_module_modifies_the_origin_within_its_restrictions() {
        let modified = |call: &str| {
            let code =
                format!("import cf from 'cloudfront';\nfunction handler(event) {{ {call}; return event.request; }}");
            match with_store(&code)? {
                FunctionResult::Request { origin, .. } => Ok(origin),
                FunctionResult::Response { .. } => Err("a response".to_owned()),
            }
        };
        assert_eq!(modified(""), Ok(None));
        let select = Ok(Some(OriginChange::Select("backup".to_owned())));
        assert_eq!(modified("cf.selectRequestOriginById('backup')"), select);
        let group = "cf.createRequestOriginGroup({ originIds: [{ originId: 'backup' }, { originId: 'primary' }], \
                     failoverCriteria: { statusCodes: [500, 404] } })";
        let expected = OriginChange::Group {
            origins: vec!["backup".to_owned(), "primary".to_owned()],
            failover_codes: vec![500, 404],
        };
        assert_eq!(modified(group), Ok(Some(expected)));
        assert!(matches!(
            modified("cf.updateRequestOrigin({ domainName: 'x.example' })"),
            Ok(Some(OriginChange::Update(_)))
        ));
        for refused in [
            "cf.selectRequestOriginById('third')",
            "cf.createRequestOriginGroup({ originIds: [{ originId: 'backup' }], failoverCriteria: { statusCodes: [500] } })",
            "cf.createRequestOriginGroup({ originIds: [{ originId: 'backup' }, { originId: 'primary' }] })",
            "cf.updateRequestOrigin({ connectionAttempts: 4 })",
            "cf.updateRequestOrigin({ originPath: 'x/' })",
            "cf.updateRequestOrigin({ originShield: { enabled: true, region: 'us-east-1' } })",
        ] {
            assert!(modified(refused).unwrap_err().contains("TypeError"), "{refused}");
        }
    }

    #[test]
    fn functions_change_requests_or_generate_responses() {
        let code = "function handler(event) { var r = event.request; if (r.uri === '/old') { return { statusCode: 301, \
                    headers: { location: { value: '/new' } } }; } r.uri += 'index.html'; return r; }";
        assert_eq!(visit(code, "/a/", ""), Ok(FunctionResult::Request { uri: "/a/index.html".into(), origin: None }));
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
        assert_eq!(visit(code, "/", "a=1%202&b=1&b=2"), Ok(FunctionResult::Request { uri, origin: None }));
    }

    #[test]
    fn a_function_that_does_not_end_is_interrupted() {
        let started = Instant::now();
        assert!(visit("function handler(event) { while (true) {} }", "/", "").is_err());
        assert!(visit("while (true) {}", "/", "").is_err());
        assert!(started.elapsed() < TIME_LIMIT * 20);
    }
}
