//! Ownership: what is ours bears our tags, and nothing else is ever changed or deleted.

use std::collections::BTreeMap;

use twinsite_core::Domain;

/// A resource's tags.
pub type Tags = BTreeMap<String, String>;

/// The site that a resource belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    site: Domain,
}

/// What a resource's tags say about who may change it.
impl Owner {
    /// The tag that says that twinsite made a resource, and takes it away again.
    pub const MANAGED_BY: &str = "twinsite:managed-by";
    /// The tag that names the site.
    pub const SITE: &str = "twinsite:site";
    const TOOL: &str = "twinsite";
    const ADOPTED: &str = "adopted";

    /// The owner of all resources of a site.
    pub fn new(site: Domain) -> Self {
        Self { site }
    }

    /// The tags of a resource that twinsite created: `destroy` deletes it.
    pub fn created(&self) -> Tags {
        self.with(Self::TOOL)
    }

    /// The tags of a resource that was there before and was handed over: `destroy` leaves it.
    pub fn adopted(&self) -> Tags {
        self.with(Self::ADOPTED)
    }

    fn with(&self, by: &str) -> Tags {
        Tags::from([(Self::MANAGED_BY.to_owned(), by.to_owned()), (Self::SITE.to_owned(), self.site.to_string())])
    }

    /// True when these tags name this site, whether created or adopted: twinsite may change the resource.
    pub fn owns(&self, tags: &Tags) -> bool {
        tags.get(Self::SITE).is_some_and(|site| site == self.site.as_str()) && tags.contains_key(Self::MANAGED_BY)
    }

    /// True when twinsite created the resource for this site: it may delete it.
    pub fn made(&self, tags: &Tags) -> bool {
        self.owns(tags) && tags.get(Self::MANAGED_BY).is_some_and(|by| by == Self::TOOL)
    }

    /// The site that these tags name, should it be another one.
    pub fn other<'a>(&self, tags: &'a Tags) -> Option<&'a str> {
        tags.get(Self::SITE).map(String::as_str).filter(|site| *site != self.site.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn created_is_ours_to_delete_and_adopted_is_not() {
        let owner = Owner::new("www.example.com".parse().unwrap());
        assert!(owner.owns(&owner.created()) && owner.made(&owner.created()));
        assert!(owner.owns(&owner.adopted()) && !owner.made(&owner.adopted()));
    }

    #[test]
    fn untagged_and_foreign_resources_are_not_ours() {
        let owner = Owner::new("www.example.com".parse().unwrap());
        let other = Owner::new("blog.example.com".parse().unwrap()).created();
        assert!(!owner.owns(&Tags::new()) && !owner.owns(&other));
        assert_eq!(owner.other(&other), Some("blog.example.com"));
        assert_eq!(owner.other(&owner.created()), None);
        let half = Tags::from([(Owner::SITE.to_owned(), "www.example.com".to_owned())]);
        assert!(!owner.owns(&half));
    }
}
