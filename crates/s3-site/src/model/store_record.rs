//! The record of the site's key value store in the backup bucket: its ARN has an id that follows from nothing, and a failover by hand
//! needs it while CloudFront's control plane and the primary region are unavailable.

use serde::{Deserialize, Serialize};
use twinsite_core::{Arn, Site};

/// The record's key in the backup bucket. The bucket policy denies public access to it.
pub const STORE_RECORD_KEY: &str = ".twinsite/key-value-store.json";

/// The record, version 1.
#[derive(Debug, Serialize, Deserialize)]
struct StoreRecord {
    version: u32,
    key_value_store: String,
}

/// The record as text.
pub(crate) fn store_record(store: &Arn) -> String {
    let record = StoreRecord { version: 1, key_value_store: store.to_string() };
    // A structure of a number and a text can be written.
    serde_json::to_string(&record).unwrap_or_default()
}

/// The ARN in a record; `None` if it is not of this version or names no key value store of CloudFront's in the account.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_KeyValueStoreAssociation.html>
pub(crate) fn recorded_store(text: &[u8], site: &Site) -> Option<Arn> {
    let record: StoreRecord = serde_json::from_slice(text).ok()?;
    let arn: Arn = record.key_value_store.parse().ok()?;
    let id = arn.resource().strip_prefix("key-value-store/")?;
    let is_id = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_ours = arn.partition() == "aws" && arn.service() == "cloudfront" && arn.region().is_empty();
    (record.version == 1 && is_id && is_ours && arn.account() == site.account.as_str()).then_some(arn)
}

#[cfg(test)]
mod tests {
    use twinsite_core::{Mode, Pair};

    use super::*;

    #[test]
    fn records_are_read_defensively() {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let (domain, account) = ("www.example.com".parse().unwrap(), "111122223333".parse().unwrap());
        let site = Site::new(domain, Mode::Origin, account, regions).unwrap();
        let arn = "arn:aws:cloudfront::111122223333:key-value-store/a1b2c3d4-5678-90ab-cdef-1234567890ab";
        let golden = format!("{{\"version\":1,\"key_value_store\":\"{arn}\"}}");
        assert_eq!(store_record(&arn.parse().unwrap()), golden);
        assert_eq!(recorded_store(golden.as_bytes(), &site).unwrap().as_str(), arn);
        for (from, to) in [
            ("111122223333", "444455556666"),
            ("key-value-store/", "function/"),
            ("arn:aws:", "arn:aws-cn:"),
            ("cloudfront::", "cloudfront:us-east-1:"),
            ("1234567890ab", "../other-one"),
            ("1234567890ab", ""),
            ("\"version\":1", "\"version\":2"),
            ("{", ""),
        ] {
            assert_eq!(recorded_store(golden.replace(from, to).as_bytes(), &site), None, "{to}");
        }
    }
}
