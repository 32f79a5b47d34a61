//! What was probably meant by a key that the configuration file does not have.

use twinsite_core::nearest;

use super::file::File;

/// The last line of the error of an unknown key: the nearest key of its table, or the table in which the key would be right.
///
/// `serde` says which keys the table has: ``unknown field `moed`, expected one of `domain`, `mode` ``.
pub(super) fn suggestion(message: &str) -> Option<String> {
    let (key, expected) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let expected = expected.split('`').skip(1).step_by(2);
    let places = places();
    let elsewhere: Vec<String> =
        places.iter().filter(|place| place.key == key).map(|place| format!("`{}`", place.table)).collect();
    if !elsewhere.is_empty() {
        return Some(format!("`{key}` belongs in {}", elsewhere.join(" or ")));
    }
    if let Some(key) = nearest(key, expected) {
        return Some(format!("did you mean `{key}`?"));
    }
    let meant = nearest(key, places.iter().map(|place| place.key.as_str()))?;
    let place = places.iter().find(|place| place.key == meant)?;
    Some(format!("did you mean `{meant}` in `{}`?", place.table))
}

/// A key and its table.
struct Place {
    table: String,
    key: String,
}

/// All keys of the tables of the file, by its schema.
fn places() -> Vec<Place> {
    let schema = schemars::schema_for!(File).to_value();
    let keys_of = |table: &serde_json::Value| -> Vec<String> {
        let name = table["$ref"].as_str().or(table["items"]["$ref"].as_str()).unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        let keys = schema["$defs"][name]["properties"].as_object();
        keys.into_iter().flat_map(|keys| keys.keys().cloned()).collect()
    };
    let mut places = Vec::new();
    for (table, properties) in schema["properties"].as_object().into_iter().flatten() {
        let brackets = if properties["type"] == "array" { format!("[[{table}]]") } else { format!("[{table}]") };
        places.extend(keys_of(properties).into_iter().map(|key| Place { table: brackets.clone(), key }));
    }
    let headers = &schema["$defs"]["Publish"]["properties"]["headers"];
    places.extend(keys_of(headers).into_iter().map(|key| Place { table: "[[publish.headers]]".to_owned(), key }));
    places
}
