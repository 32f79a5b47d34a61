//! Pages of `ListResourceRecordSetProtections`, which the SDK does not support yet. Remove this module once it does.

use serde::Deserialize;

use crate::model::{Protection, normalized_name};

/// A page of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProtectionsPage {
    #[serde(default)]
    resource_record_set_protections: Entries,
    pub(crate) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entries {
    #[serde(default)]
    resource_record_set_protection: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    record_name: String,
    record_type: String,
    comment: Option<String>,
}

pub(crate) fn parse_page(xml: &[u8]) -> Result<ProtectionsPage, quick_xml::DeError> {
    quick_xml::de::from_reader(xml)
}

impl ProtectionsPage {
    pub(crate) fn protections(self) -> impl Iterator<Item = Protection> {
        let entries = self.resource_record_set_protections.resource_record_set_protection.into_iter();
        entries.map(|Entry { record_name, record_type, comment }| Protection {
            name: normalized_name(&record_name),
            r#type: record_type,
            comment,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_parsed_with_and_without_entries() {
        let xml = "<R xmlns=\"x\"><ResourceRecordSetProtections><ResourceRecordSetProtection><RecordName>WWW.Example.com.\
                   </RecordName><RecordType>CNAME</RecordType><Comment>frozen</Comment></ResourceRecordSetProtection>\
                   </ResourceRecordSetProtections><NextToken>t</NextToken></R>";
        let page = parse_page(xml.as_bytes()).unwrap();
        assert_eq!(page.next_token.as_deref(), Some("t"));
        let all: Vec<_> = page.protections().collect();
        assert_eq!((all[0].name.as_str(), all[0].comment.as_deref()), ("www.example.com", Some("frozen")));
        for empty in ["<R/>", "<R><ResourceRecordSetProtections/></R>"] {
            assert_eq!(parse_page(empty.as_bytes()).unwrap().protections().count(), 0, "{empty}");
        }
    }
}
