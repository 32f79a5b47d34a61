//! Record sets that somebody has protected: Route 53 refuses every batch that touches them.

use serde::Deserialize;

use super::Zone;
use super::diff::canonical;
use crate::change::Change;
use crate::problem::Problem;
use twinsite_core::{Deferred, Step};

/// A name and type whose record sets may not be changed.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSetProtection.html>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Protection {
    /// The name, without the trailing dot.
    #[serde(rename = "RecordName")]
    pub name: String,
    /// The type.
    #[serde(rename = "RecordType")]
    pub r#type: String,
    /// What whoever protected it had to say.
    pub comment: Option<String>,
}

/// A page of `ListResourceRecordSetProtections`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    #[serde(default)]
    resource_record_set_protections: Entries,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entries {
    #[serde(default)]
    resource_record_set_protection: Vec<Protection>,
}

impl Page {
    pub(super) fn read(xml: &[u8]) -> Result<Self, quick_xml::DeError> {
        quick_xml::de::from_reader(xml)
    }

    pub(super) fn entries(self) -> impl Iterator<Item = Protection> {
        let entries = self.resource_record_set_protections.resource_record_set_protection.into_iter();
        entries.map(|entry| Protection { name: canonical(&entry.name), ..entry })
    }
}

/// The protections that steps would run into.
pub(crate) fn hindrances(zone: &Zone, steps: &[Step<Change>]) -> Vec<Problem> {
    let touched: Vec<(String, String)> = steps.iter().flat_map(|step| touched(&step.change)).collect();
    let hit =
        zone.protections.iter().filter(|entry| touched.iter().any(|(n, t)| (n, t) == (&entry.name, &entry.r#type)));
    hit.map(|entry| Problem::Protected { zone: zone.id.clone(), protection: entry.clone() }).collect()
}

/// The names and types that a change touches.
fn touched(change: &Change) -> Vec<(String, String)> {
    match change {
        Change::Records { name, gone, new, .. } => {
            let types =
                gone.iter().map(|goner| goner.r#type.clone()).chain(new.iter().map(|new| new.r#type.to_owned()));
            types.map(|kind| (canonical(name), kind)).collect()
        }
        Change::Proof { proof: Deferred::Known(proof), .. } | Change::DropProof { proof, .. } => {
            vec![(canonical(&proof.name), "CNAME".to_owned())]
        }
        // What ACM has not named yet, nobody has protected.
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_and_without_entries() {
        let xml = "<R xmlns=\"x\"><ResourceRecordSetProtections><ResourceRecordSetProtection><RecordName>WWW.Example.com.\
                   </RecordName><RecordType>CNAME</RecordType><Comment>frozen</Comment></ResourceRecordSetProtection>\
                   </ResourceRecordSetProtections><NextToken>t</NextToken></R>";
        let page = Page::read(xml.as_bytes()).unwrap();
        assert_eq!(page.next_token.as_deref(), Some("t"));
        let all: Vec<_> = page.entries().collect();
        assert_eq!((all[0].name.as_str(), all[0].comment.as_deref()), ("www.example.com", Some("frozen")));
        for empty in ["<R/>", "<R><ResourceRecordSetProtections/></R>"] {
            assert_eq!(Page::read(empty.as_bytes()).unwrap().entries().count(), 0, "{empty}");
        }
    }
}
