//! The clients that this crate works with.

use std::sync::Arc;

use aws_sdk_s3::Client;
use futures::lock::Mutex;
use twinsite_core::{Pair, Side, Site};

use crate::calls::BucketClient;

/// Observes and changes the two buckets of a site, and the IAM role that replicates between them.
#[derive(Clone, Debug)]
pub struct S3Site {
    pub(crate) s3: Pair<Client>,
    pub(crate) s3control: aws_sdk_s3control::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    /// Whoever changes the bucket of a side holds its lock.
    pub(crate) turns: Pair<Arc<Mutex<()>>>,
}

impl S3Site {
    /// With S3 clients of the two regions, an S3 Control client of the primary's region, and an IAM client.
    pub fn new(s3: Pair<Client>, s3control: aws_sdk_s3control::Client, iam: aws_sdk_iam::Client) -> Self {
        Self { s3, s3control, iam, turns: Pair::from_fn(|_| Arc::default()) }
    }

    pub(crate) fn bucket<'a>(&'a self, site: &'a Site, side: Side) -> BucketClient<'a> {
        BucketClient { client: self.s3.get(side), bucket: site.buckets.get(side) }
    }
}
