//! Ownership tags: a site's resources are recognised by them, and others are never changed or deleted.

use std::collections::BTreeMap;

use twinsite_core::{Domain, Field, entries_to_put};

/// A resource's tags.
pub type Tags = BTreeMap<String, String>;

/// The tags that are put, as settings of a plan. Others stay.
pub fn tag_fields(actual: &Tags, desired: &Tags) -> impl Iterator<Item = Field> {
    entries_to_put("tag ", actual, desired)
}

/// The site that a resource belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    site: Domain,
    tags: Tags,
}

impl Owner {
    /// The key of the tag that tells created from adopted resources.
    pub const MANAGED_BY: &str = "twinsite:managed-by";
    /// The key of the tag that holds the site's domain.
    pub const SITE: &str = "twinsite:site";
    const TOOL: &str = "twinsite";
    const ADOPTED: &str = "adopted";

    /// The owner of the resources of a site.
    pub fn new(site: Domain) -> Self {
        Self { site, tags: Tags::new() }
    }

    /// The owner with tags of its own, which created resources get besides.
    #[must_use]
    pub fn with_tags(self, tags: Tags) -> Self {
        Self { tags, ..self }
    }

    /// The tags of a resource that twinsite created: `destroy` deletes it.
    pub fn created(&self) -> Tags {
        let mut tags = self.tags.clone();
        tags.extend(self.with(Self::TOOL));
        tags
    }

    /// The tags of an existing resource that was adopted: `destroy` keeps it.
    pub fn adopted(&self) -> Tags {
        self.with(Self::ADOPTED)
    }

    fn with(&self, by: &str) -> Tags {
        Tags::from([(Self::MANAGED_BY.to_owned(), by.to_owned()), (Self::SITE.to_owned(), self.site.to_string())])
    }

    /// True for a resource of this site, created or adopted: it may be changed.
    pub fn owns(&self, tags: &Tags) -> bool {
        tags.get(Self::SITE).is_some_and(|site| site == self.site.as_str()) && tags.contains_key(Self::MANAGED_BY)
    }

    /// True for a resource that twinsite created for this site: it may be deleted.
    pub fn created_by(&self, tags: &Tags) -> bool {
        self.owns(tags) && tags.get(Self::MANAGED_BY).is_some_and(|by| by == Self::TOOL)
    }

    /// The domain of another site that owns the resource.
    pub fn other<'a>(&self, tags: &'a Tags) -> Option<&'a str> {
        tags.get(Self::SITE).map(String::as_str).filter(|site| *site != self.site.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn created_resources_may_be_deleted_and_adopted_ones_not() {
        let owner = Owner::new("www.example.com".parse().unwrap());
        assert!(owner.owns(&owner.created()) && owner.created_by(&owner.created()));
        assert!(owner.owns(&owner.adopted()) && !owner.created_by(&owner.adopted()));
    }

    #[test]
    fn untagged_and_foreign_resources_are_not_owned() {
        let owner = Owner::new("www.example.com".parse().unwrap());
        let other = Owner::new("blog.example.com".parse().unwrap()).created();
        assert!(!owner.owns(&Tags::new()) && !owner.owns(&other));
        assert_eq!(owner.other(&other), Some("blog.example.com"));
        assert_eq!(owner.other(&owner.created()), None);
        let half = Tags::from([(Owner::SITE.to_owned(), "www.example.com".to_owned())]);
        assert!(!owner.owns(&half));
    }
}
