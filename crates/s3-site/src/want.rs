//! What the buckets should be like.

use twinsite_aws::Owner;
use twinsite_core::{Arn, Deferred, Site};

use crate::bucket::{Block, Website};

/// What to do about a bucket of ours that does not bear the site's tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adopt {
    /// Say so, and do nothing.
    #[default]
    Refuse,
    /// Tag it as handed over and bring its settings into the wanted state. `destroy` will leave it.
    Adopt,
}

/// What the two buckets should be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The site.
    pub site: Site,
    /// The index document, in every folder.
    pub index: String,
    /// The error document at the top.
    pub not_found: Option<String>,
    /// What to do about a bucket that was there before.
    pub adopt: Adopt,
    /// Whether what is put into the backup travels back, for publishing there while the primary is gone.
    pub replicate_back: bool,
    /// Whether to pay for S3's promise to replicate within fifteen minutes.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html>
    pub time_control: bool,
    /// The distribution that may read the buckets where they are private; nobody else can then.
    pub reader: Option<Deferred<Arn>>,
}

impl Desired {
    /// The defaults for a site.
    pub fn new(site: Site) -> Self {
        let not_found = Some("404.html".to_owned());
        Self {
            site,
            index: "index.html".to_owned(),
            not_found,
            adopt: Adopt::default(),
            replicate_back: false,
            time_control: false,
            reader: None,
        }
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.site.domain.clone())
    }

    /// ACLs never make anything public; policies may where visitors come to the website endpoint.
    pub(crate) fn block(&self) -> Block {
        let private = !self.site.mode.public_buckets();
        Block { acls: true, ignore_acls: true, policies: private, restrict: private }
    }

    pub(crate) fn website(&self) -> Option<Website> {
        let website = Website { index: self.index.clone(), error: self.not_found.clone() };
        self.site.mode.public_buckets().then_some(website)
    }
}
