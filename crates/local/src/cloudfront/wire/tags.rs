//! Operations on tags of distributions, functions and key value stores.

use super::super::{CloudFront, Element};
use super::{Call, Output, Reply};
use crate::context::{ServiceError, Tags, change_tags};

fn tags_of<'a>(cloudfront: &'a mut CloudFront, arn: &str) -> Result<&'a mut Tags, ServiceError> {
    let store = cloudfront.store_by_arn(arn).map(|store| store.name.clone());
    if let Some(name) = store {
        let store = cloudfront.stores.get_mut(&name).ok_or_else(super::super::no_resource)?;
        return Ok(&mut store.tags);
    }
    match cloudfront.functions.values().find(|function| function.arn() == arn).map(|function| function.name.clone()) {
        None => Ok(&mut cloudfront.distribution_by_arn(arn)?.tags),
        Some(name) => {
            let function = cloudfront.functions.get_mut(&name).ok_or_else(super::super::resources::no_function)?;
            Ok(&mut function.tags)
        }
    }
}

/// The tags of a list that has `Items` but no `Quantity`.
pub(super) fn tags_in(list: Option<&Element>) -> Tags {
    let items = list.and_then(|list| list.child("Items")).map_or(&[][..], |items| &items.children);
    items.iter().map(|tag| (tag.at("Key").to_owned(), tag.at("Value").to_owned())).collect()
}

impl Call<'_> {
    pub(super) fn list_tags(&mut self) -> Reply {
        let arn = self.query("Resource").to_owned();
        let tag = |(key, value): (&String, &String)| {
            Element::node("Tag", vec![Element::leaf("Key", key.as_str()), Element::leaf("Value", value.as_str())])
        };
        let items = tags_of(self.cloudfront, &arn)?.iter().map(tag).collect();
        Ok(Output::ok(Element::node("Tags", vec![Element::node("Items", items)])))
    }

    pub(super) fn tag(&mut self) -> Reply {
        let (arn, added) = (self.query("Resource").to_owned(), tags_in(Some(&self.body()?)));
        change_tags(tags_of(self.cloudfront, &arn)?, added, &[]);
        Ok(Output::no_content())
    }

    pub(super) fn untag(&mut self) -> Reply {
        let (arn, body) = (self.query("Resource").to_owned(), self.body()?);
        let keys = body.child("Items").map_or(&[][..], |items| &items.children);
        let removed: Vec<String> = keys.iter().map(|key| key.text.clone()).collect();
        change_tags(tags_of(self.cloudfront, &arn)?, [], &removed);
        Ok(Output::no_content())
    }
}
