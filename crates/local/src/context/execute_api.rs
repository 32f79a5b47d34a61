//! The names of the endpoints of API Gateway.

use sha2::{Digest, Sha256};

/// The hosted zone id of alias records to the Regional endpoints of a region. Some are those of AWS.
/// <https://docs.aws.amazon.com/general/latest/gr/apigateway.html>
pub(crate) fn hosted_zone(region: &str) -> String {
    match region {
        "us-east-1" => "Z1UJRXOUMOOFQ8".to_owned(),
        "us-east-2" => "ZOJJZC49E0EPZ".to_owned(),
        "us-west-2" => "Z2OJLYMUO9EFXC".to_owned(),
        "eu-west-1" => "ZLY8HYME6SFDD".to_owned(),
        "eu-central-1" => "Z1U9ULNL0V5AJ3".to_owned(),
        other => format!("Z{}", hex::encode_upper(&Sha256::digest(other)[..6])),
    }
}

/// The region of `NAME.execute-api.REGION.amazonaws.com`, and the name.
pub(crate) fn execute_api_host(host: &str) -> Option<(&str, &str)> {
    let host = host.strip_suffix(".amazonaws.com")?;
    let (name, region) = host.split_once(".execute-api.")?;
    (!name.is_empty() && region.parse::<twinsite_core::Region>().is_ok()).then_some((name, region))
}
