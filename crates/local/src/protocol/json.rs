//! Values of requests in JSON or CBOR.

use serde_json::{Value, json};

use crate::context::Tags;

/// The strings of a list; none when it is absent.
pub(crate) fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The pairs of a list of `{Key, Value}`.
pub(crate) fn pairs(value: &Value) -> impl Iterator<Item = (String, String)> + '_ {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    value.as_array().into_iter().flatten().map(move |tag| (text(&tag["Key"]), text(&tag["Value"])))
}

/// Tags as a list of `{Key, Value}`.
pub(crate) fn tag_list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// Adds one page of `all` to a response: `name`, and `NextToken` when there are more. The token is the next item's index.
pub(crate) fn add_page(response: &mut Value, name: &str, all: &[Value], token: &Value, size: usize) {
    let from: usize = token.as_str().and_then(|token| token.parse().ok()).unwrap_or_default();
    response[name] = all.iter().skip(from).take(size).cloned().collect();
    if from + size < all.len() {
        response["NextToken"] = json!((from + size).to_string());
    }
}
