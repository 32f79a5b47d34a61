//! The values of records, as name servers encode them.
//!
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html>

use std::str::FromStr;

use hickory_server::proto::rr::rdata::{NULL, TXT};
use hickory_server::proto::rr::{RData, RecordType};

/// The types that Route 53 has.
const TYPES: [&str; 17] = [
    "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB",
    "TLSA", "TXT",
];

/// The data of a record; what is wrong with the value otherwise.
pub(crate) fn rdata(kind: &str, value: &str) -> Result<RData, String> {
    if !TYPES.contains(&kind) {
        return Err(format!("Value '{kind}' at 'type' failed to satisfy constraint: it is no type of Route 53"));
    }
    let problem = |code: &str, what: &str| {
        format!("Invalid Resource Record: 'FATAL problem: {code} (Value {what}) encountered with '{value}''")
    };
    let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    if ["TXT", "SPF"].contains(&kind) && !quoted {
        return Err(problem("InvalidCharacterString", "should be enclosed in quotation marks"));
    }
    let known = match kind {
        "DS" => return delegation_signer(value).ok_or_else(|| problem("InvalidRDATA", "is no DS record")),
        "SPF" => Ok(RecordType::TXT),
        _ => RecordType::from_str(kind),
    };
    let known = known.map_err(|error| problem("InvalidType", &error.to_string()))?;
    let data = RData::try_from_str(known, &absolute(kind, value)).map_err(|error| match kind {
        "A" => problem("ARRDATAIllegalIPv4Address", "is not a valid IPv4 address"),
        "AAAA" => problem("AAAARRDATAIllegalIPv6Address", "is not a valid IPv6 address"),
        _ => problem("InvalidRDATA", &error.to_string()),
    })?;
    Ok(match data {
        RData::TXT(text) if kind == "SPF" => sender_policy(&text),
        data => data,
    })
}

/// A DS record: the library parses none without DNSSEC.
fn delegation_signer(value: &str) -> Option<RData> {
    let mut words = value.split_whitespace();
    let mut bytes = words.next()?.parse::<u16>().ok()?.to_be_bytes().to_vec();
    bytes.push(words.next()?.parse().ok()?);
    bytes.push(words.next()?.parse().ok()?);
    bytes.extend(hex::decode(words.collect::<String>()).ok().filter(|digest| !digest.is_empty())?);
    Some(RData::Unknown { code: RecordType::DS, rdata: NULL::with(bytes) })
}

/// An SPF record: the data of a TXT record under a number of its own.
fn sender_policy(text: &TXT) -> RData {
    let strings = text.txt_data.iter().map(AsRef::as_ref);
    let bytes = strings.flat_map(|string: &[u8]| {
        std::iter::once(u8::try_from(string.len()).unwrap_or(u8::MAX)).chain(string.iter().copied())
    });
    RData::Unknown { code: RecordType::from(99), rdata: NULL::with(bytes.collect()) }
}

/// The value with a dot behind the name in it: Route 53 takes all names as absolute.
fn absolute(kind: &str, value: &str) -> String {
    let mut words: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
    let name = match kind {
        "CNAME" | "MX" | "NAPTR" | "NS" | "PTR" | "SRV" => words.last_mut(),
        "HTTPS" | "SVCB" => words.get_mut(1),
        _ => None,
    };
    let Some(name) = name else { return value.to_owned() };
    if !name.ends_with('.') {
        name.push('.');
    }
    words.join(" ")
}
