//! Every setting of every service, changed behind our back, one at a time.

use serde_json::{Value, json};
use twinsite_local::{Account, ServiceError};

use super::*;

/// Parts of an account that say who or when something is, not how it is set up; and what can never change.
const IDENTITY: &str = "arn at caller_reference changes counter created deployed etag id imported insync issued \
                        key_algorithm keys_etag keys_modified listed modified name names nanos_since_epoch retired secs_since_epoch shown state status \
                        subscriptions token validated version RequestInterval Type MeasureLatency SetIdentifier";

/// What is not managed: the owner may change it, and it stays.
const UNMANAGED: [&str; 25] = [
    // Counts follow from what is counted.
    "Quantity",
    // What people read, and what makes creation repeatable.
    "CallerReference",
    "Description",
    "description",
    "comment",
    "path",
    // Features that an owner may add.
    "ContinuousDeploymentPolicyId",
    "Logging",
    "Restrictions",
    "Staging",
    "WebACLId",
    // Follows from the certificate.
    "CloudFrontDefaultCertificate",
    // Website endpoints speak HTTP only, on connections that S3 keeps as it likes.
    "HTTPSPort",
    "OriginKeepaliveTimeout",
    "OriginSslProtocols",
    // Probes are a few bytes, asked for with GET.
    "CacheBehavior/AllowedMethods",
    "CacheBehavior/Compress",
    "DefaultCacheBehavior/AllowedMethods/CachedMethods",
    // What is being worked on is not what runs.
    "code",
    "functions/twinsite-www-example-com/config",
    "live//FunctionConfig/Comment",
    "live//FunctionConfig/Runtime",
    // A resource that was handed over stays when the site goes; that is all this tag means.
    "tags/twinsite:managed-by",
    "twinsite:email:ops@example.com",
    // A certificate serves whomever it covers.
    "acm/certificates",
];

/// A place in an account: its pointer, and what stands there in words.
struct Place {
    at: String,
    called: String,
}

/// The settings of an account, one by one.
fn settings(value: &Value, place: Place, all: &mut Vec<Place>) {
    let Place { at, called } = place;
    let child = |key: &str, word: &str| Place {
        at: format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
        called: format!("{called}/{word}"),
    };
    match value {
        // An element of CloudFront's XML.
        Value::Object(map)
            if map.contains_key("name") && (map.contains_key("text") || map.contains_key("children")) =>
        {
            let name = map["name"].as_str().unwrap();
            if let Some(text) = map.get("text") {
                settings(text, Place { at: format!("{at}/text"), called: format!("{called}/{name}") }, all);
            }
            for (n, element) in map.get("children").and_then(Value::as_array).into_iter().flatten().enumerate() {
                let place = Place { at: format!("{at}/children/{n}"), called: format!("{called}/{name}") };
                settings(element, place, all);
            }
        }
        // The zone is its owner's, but for the records of the site's name.
        Value::Object(map)
            if called.contains("/records") && map.get("Name").is_some_and(|name| name != "www.example.com.") => {}
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| !IDENTITY.split_whitespace().any(|word| word == *key)) {
                settings(value, child(key, key), all);
            }
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, value)| settings(value, child(&n.to_string(), ""), all));
        }
        Value::Null => {}
        _ if is_name(&called) => {}
        _ => all.push(Place { at, called }),
    }
}

/// Another value that could stand in the same place.
fn other(called: &str, value: &Value) -> Value {
    let last = called.rsplit('/').next().unwrap_or_default();
    match (last, value) {
        (_, Value::Bool(on)) => json!(!on),
        (_, Value::Number(n)) => n.as_i64().map_or_else(|| json!(0.25), |n| json!(n + 1)),
        (_, Value::String(text)) => json!(match text.as_str() {
            "true" => "false".to_owned(),
            "false" => "true".to_owned(),
            "always" => "never".to_owned(),
            "CNAME" => "TXT".to_owned(),
            _ => text.parse::<u64>().map_or_else(|_| format!("{text}x"), |n| (n + 1).to_string()),
        }),
        _ => value.clone(),
    }
}

fn is_unmanaged(called: &str) -> bool {
    // Lists of CloudFront's XML are wrapped in `Items`, which says nothing.
    let called = format!("{}/", called.replace("/Items", ""));
    UNMANAGED.iter().any(|word| called.contains(&format!("/{word}/")))
}

/// Names within a distribution: another one is another thing.
fn is_name(called: &str) -> bool {
    ["Origin/Id", "OriginGroup/Id", "Config/Name", "records//Name", "Aliases/Items/CNAME"]
        .iter()
        .any(|end| called.ends_with(end))
}

fn account(cloud: &Cloud) -> Value {
    serde_json::to_value(cloud.world().account(|account, _| account.clone())).unwrap()
}

fn set(cloud: &Cloud, value: &Value) {
    let account: Account = serde_json::from_value(value.clone()).unwrap();
    let done: Result<(), ServiceError> = cloud.world().change_account(|there, _| {
        *there = account;
        Ok(())
    });
    done.unwrap();
}

/// What became of a setting that was changed: `None` when all is as it should be.
async fn wrong_about(cloud: &Cloud, stack: &TestSite, right: &Value, place: &Place) -> Option<String> {
    let (mut wrong, called) = (right.clone(), place.called.as_str());
    let changed = other(called, right.pointer(&place.at)?);
    *wrong.pointer_mut(&place.at)? = changed.clone();
    set(cloud, &wrong);
    // What stands in the way is named: a resource that is not this site's any more, a routing of others.
    let Ok(plan) = stack.plan(AdoptBuckets::Refuse).await else { return None };
    if plan.is_empty() {
        return (!is_unmanaged(called)).then(|| format!("{called}: not seen"));
    }
    if is_unmanaged(called) {
        return Some(format!("{called}: seen, though said to be unmanaged"));
    }
    if let Err(halted) = stack.apply(plan).await {
        return Some(format!("{called}: {halted}"));
    }
    let now = cloud.world().dump();
    if !steps(stack).await.is_empty() {
        return Some(format!("{called}: not settled after one apply"));
    }
    // Edges see earlier contents of a key value store for some seconds.
    let is_superseded = called.contains("/contents/");
    (!is_superseded
        && now.to_string().contains(&format!("{changed}"))
        && changed.as_str().is_some_and(|text| text.ends_with('x')))
    .then(|| format!("{called}: still {changed}"))
}

async fn each_setting_is_put_right_or_left_alone(mode: Mode) {
    let cloud = cloud();
    let stack = open(&cloud, &full(mode), None).await;
    applied(&stack).await.unwrap();
    let right = account(&cloud);
    let mut all = Vec::new();
    settings(&right, Place { at: String::new(), called: String::new() }, &mut all);
    assert!(all.len() > 150, "{}", all.len());
    let mut wrong = Vec::new();
    for place in sampled(3).map_while(|at| all.get(at)) {
        wrong.extend(wrong_about(&cloud, &stack, &right, place).await);
        set(&cloud, &right);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn in_mode_dns() {
    each_setting_is_put_right_or_left_alone(Mode::Dns).await;
}

#[tokio::test]
async fn in_mode_origin() {
    each_setting_is_put_right_or_left_alone(Mode::Origin).await;
}

#[tokio::test]
async fn in_mode_layered() {
    each_setting_is_put_right_or_left_alone(Mode::Layered).await;
}
