//! The record of the site's aliases in the backup bucket. An alias that was removed from the configuration has records, a redirect bucket and a
//! place in the distribution, which nothing else would tell from what others have made.

use serde::{Deserialize, Serialize};
use twinsite_core::{Domain, Site};

/// The record's key in the backup bucket. The bucket policy denies public access to it.
pub const ALIAS_RECORD_KEY: &str = ".twinsite/aliases.json";

/// The record, version 1.
#[derive(Debug, Serialize, Deserialize)]
struct AliasRecord {
    version: u32,
    aliases: Vec<String>,
}

/// The record as text.
pub(crate) fn alias_record(aliases: &[Domain]) -> String {
    let record = AliasRecord { version: 1, aliases: aliases.iter().map(ToString::to_string).collect() };
    // A structure of a number and texts can be written.
    serde_json::to_string(&record).unwrap_or_default()
}

/// The aliases in a record; none if it is not of this version. The domain of the site is no alias of it.
pub(crate) fn recorded_aliases(text: &[u8], site: &Site) -> Vec<Domain> {
    let record = serde_json::from_slice(text).ok().filter(|record: &AliasRecord| record.version == 1);
    let names = record.into_iter().flat_map(|record| record.aliases);
    let mut aliases: Vec<Domain> = names.filter_map(|name| name.parse().ok()).collect();
    aliases.retain(|alias| *alias != site.domain);
    aliases.sort();
    aliases.dedup();
    aliases
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
        let aliases: Vec<Domain> = vec!["example.com".parse().unwrap(), "example.org".parse().unwrap()];
        let golden = r#"{"version":1,"aliases":["example.com","example.org"]}"#;
        assert_eq!(alias_record(&aliases), golden);
        assert_eq!(recorded_aliases(golden.as_bytes(), &site), aliases);
        let odd = r#"{"version":1,"aliases":["example.org","www.example.com","*","example.org"]}"#;
        assert_eq!(recorded_aliases(odd.as_bytes(), &site), aliases[1..]);
        for other in ["", "[]", &golden.replace('1', "2")] {
            assert_eq!(recorded_aliases(other.as_bytes(), &site), []);
        }
    }
}
