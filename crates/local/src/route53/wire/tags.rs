//! Operations on tags of hosted zones and health checks.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{TaggedResource, invalid_input};
use super::{Call, Reply, ok};
use crate::context::ServiceError;
use crate::protocol::json::tag_list;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    #[serde(default)]
    tag: Vec<Tag>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ChangeTags {
    add_tags: Tags,
    remove_tag_keys: Keys,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Keys {
    key: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTags {
    resource_ids: Ids,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ids {
    #[serde(default)]
    resource_id: Vec<String>,
}

fn resource_type(name: &str) -> Result<TaggedResource, ServiceError> {
    match name {
        "hostedzone" => Ok(TaggedResource::HostedZone),
        "healthcheck" => Ok(TaggedResource::HealthCheck),
        other => Err(invalid_input(format!("Invalid resource type: {other}"))),
    }
}

impl Call<'_> {
    fn tag_set(&self, kind: &str, id: &str) -> Result<Value, ServiceError> {
        let tags = tag_list(&self.route53.tags(resource_type(kind)?, id)?);
        Ok(json!({"ResourceType": kind, "ResourceId": id, "Tags": {"Tag": tags}}))
    }

    pub(super) fn get_tags(&self, kind: &str, id: &str) -> Reply {
        ok("ListTagsForResourceResponse", json!({"ResourceTagSet": self.tag_set(kind, id)?}))
    }

    pub(super) fn list_tags(&self, kind: &str) -> Reply {
        let ListTags { resource_ids: Ids { resource_id } } = self.body()?;
        if resource_id.len() > 10 {
            return Err(invalid_input("At most 10 resources at a time"));
        }
        let sets = resource_id.iter().map(|id| self.tag_set(kind, id)).collect::<Result<Vec<_>, _>>()?;
        ok("ListTagsForResourcesResponse", json!({"ResourceTagSets": {"ResourceTagSet": sets}}))
    }

    pub(super) fn change_tags(&mut self, kind: &str, id: &str) -> Reply {
        let ChangeTags { add_tags: Tags { tag }, remove_tag_keys: Keys { key } } = self.body()?;
        let added = tag.into_iter().map(|tag| (tag.key, tag.value));
        self.route53.change_tags(resource_type(kind)?, id, added, &key)?;
        ok("ChangeTagsForResourceResponse", json!({}))
    }
}
