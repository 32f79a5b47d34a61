//! Tags of distributions and functions.

use std::collections::BTreeMap;

use super::{Answer, Answered, Call};
use crate::world::cloudfront::{CloudFront, Element, Fault};

fn tags_of<'a>(cloudfront: &'a mut CloudFront, arn: &str) -> Result<&'a mut BTreeMap<String, String>, Fault> {
    if cloudfront.functions.values().all(|function| function.arn() != arn) {
        return Ok(&mut cloudfront.by_arn(arn)?.tags);
    }
    let function = cloudfront.functions.values_mut().find(|function| function.arn() == arn);
    let missing = || Fault::new("NoSuchResource", 404, "The specified resource does not exist.");
    function.map(|function| &mut function.tags).ok_or_else(missing)
}

impl Call<'_> {
    pub(super) fn list_tags(&self) -> Answered {
        let arn = self.query("Resource").to_owned();
        let tags = self.world.account(|account, _| tags_of(&mut account.cloudfront.clone(), &arn).cloned())?;
        let tag = |(key, value): (String, String)| {
            Element::node("Tag", vec![Element::leaf("Key", key), Element::leaf("Value", value)])
        };
        let items = tags.into_iter().map(tag).collect();
        Ok(Answer::ok(Element::node("Tags", vec![Element::node("Items", items)])))
    }

    pub(super) fn tag(&self) -> Answered {
        let body = self.body()?;
        let items = body.child("Items").map(|items| items.children.clone()).unwrap_or_default();
        let added = items.iter().map(|tag| (tag.at("Key").to_owned(), tag.at("Value").to_owned()));
        self.change(|tags| tags.extend(added))
    }

    pub(super) fn untag(&self) -> Answered {
        let body = self.body()?;
        let gone = body.child("Items").map(|items| items.children.clone()).unwrap_or_default();
        self.change(|tags| tags.retain(|key, _| !gone.iter().any(|gone| gone.text == *key)))
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Answered {
        let arn = self.query("Resource");
        self.world.change_account(|account, _| {
            change(tags_of(&mut account.cloudfront, arn)?);
            Ok(Answer::nothing())
        })
    }
}
