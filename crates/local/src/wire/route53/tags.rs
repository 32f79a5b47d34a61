//! Tags of hosted zones and health checks.

use serde::{Deserialize, Serialize};

use super::{Answered, Call, ok};
use crate::world::route53::{Fault, Tagged};

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Default, Serialize, Deserialize)]
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagSet {
    resource_type: String,
    resource_id: String,
    tags: Tags,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagSetAnswer {
    resource_tag_set: TagSet,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagSetsAnswer {
    resource_tag_sets: TagSets,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagSets {
    resource_tag_set: Vec<TagSet>,
}

fn tagged(kind: &str) -> Result<Tagged, Fault> {
    match kind {
        "hostedzone" => Ok(Tagged::HostedZone),
        "healthcheck" => Ok(Tagged::HealthCheck),
        other => Err(Fault::InvalidInput(format!("Invalid resource type: {other}"))),
    }
}

impl Call<'_> {
    fn tag_set(&self, kind: &str, id: &str) -> Result<TagSet, Fault> {
        let tags = self.world.account(|account, _| account.route53.tags(tagged(kind)?, id))?;
        let tag = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
        Ok(TagSet { resource_type: kind.to_owned(), resource_id: id.to_owned(), tags: Tags { tag } })
    }

    pub(super) fn get_tags(&self, kind: &str, id: &str) -> Answered {
        ok("ListTagsForResourceResponse", &TagSetAnswer { resource_tag_set: self.tag_set(kind, id)? })
    }

    pub(super) fn list_tags(&self, kind: &str) -> Answered {
        let ListTags { resource_ids: Ids { resource_id } } = self.body()?;
        if resource_id.len() > 10 {
            return Err(Fault::InvalidInput("At most 10 resources at a time".to_owned()));
        }
        let sets = resource_id.iter().map(|id| self.tag_set(kind, id)).collect::<Result<_, _>>()?;
        ok("ListTagsForResourcesResponse", &TagSetsAnswer { resource_tag_sets: TagSets { resource_tag_set: sets } })
    }

    pub(super) fn change_tags(&self, kind: &str, id: &str) -> Answered {
        let ChangeTags { add_tags: Tags { tag }, remove_tag_keys: Keys { key } } = self.body()?;
        let add: Vec<_> = tag.into_iter().map(|tag| (tag.key, tag.value)).collect();
        let of = tagged(kind)?;
        self.world.change_account(|account, _| account.route53.change_tags((of, id), add, &key))?;
        ok("ChangeTagsForResourceResponse", &())
    }
}
