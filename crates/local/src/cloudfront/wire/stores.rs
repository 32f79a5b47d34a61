//! Operations on key value stores in CloudFront's API.

use super::super::Element;
use super::super::store::{KeyValueStore, NewStore};
use super::tags::tags_in;
use super::{Call, Output, Reply};
use crate::protocol::reply::rfc3339;

fn summary(store: &KeyValueStore, call: &Call<'_>) -> Element {
    let children = vec![
        Element::leaf("Name", store.name.as_str()),
        Element::leaf("Id", store.id.as_str()),
        Element::leaf("Comment", store.comment.as_str()),
        Element::leaf("ARN", store.arn()),
        Element::leaf("Status", store.status(call.now.time)),
        Element::leaf("LastModifiedTime", rfc3339(store.modified)),
    ];
    Element::node("KeyValueStore", children)
}

impl Call<'_> {
    pub(super) fn create_store(&mut self) -> Reply {
        let body = self.body()?;
        if body.child("ImportSource").is_some() {
            let what = "CloudFront CreateKeyValueStore with an ImportSource";
            return Err(crate::context::ServiceError::not_implemented(what));
        }
        let (name, comment) = (body.at("Name").to_owned(), body.at("Comment").to_owned());
        let new = NewStore { name: name.clone(), comment, tags: tags_in(body.child("Tags")) };
        let store = self.cloudfront.create_store(new, self.now)?;
        Ok(Output::created(summary(&store, self), &store.etag, &format!("key-value-store/{name}")))
    }

    pub(super) fn describe_store(&self) -> Reply {
        let store = self.cloudfront.store(self.id)?;
        Ok(Output::with_etag(summary(store, self), &store.etag))
    }

    pub(super) fn update_store(&mut self) -> Reply {
        let comment = self.body()?.at("Comment").to_owned();
        let store = self.cloudfront.update_store(self.id, self.if_match, comment, self.now)?;
        Ok(Output::with_etag(summary(&store, self), &store.etag))
    }

    pub(super) fn delete_store(&mut self) -> Reply {
        self.cloudfront.delete_store(self.id, self.if_match)?;
        Ok(Output::no_content())
    }

    pub(super) fn list_stores(&self) -> Output {
        let wanted = self.query("Status");
        let all =
            self.cloudfront.stores.values().filter(|store| wanted.is_empty() || wanted == store.status(self.now.time));
        let mut output = self.page("KeyValueStoreList", all.map(|store| (store.name.clone(), summary(store, self))));
        // The model of this list has neither.
        if let Some(list) = &mut output.body {
            list.children.retain(|child| !["Marker", "IsTruncated"].contains(&child.name.as_str()));
        }
        output
    }
}
