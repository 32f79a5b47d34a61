//! What health checks request: small objects at fixed keys, with a word in them that only this site has.
//!
//! A check that only looks for an answer is fooled by redirects and by error pages sent as 200; one that looks for the
//! word is not. <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html>

use sha2::{Digest, Sha256};

use crate::{Mode, Side, Site};

/// The folder of a bucket that belongs to health checks. It is public, published by `apply`, and never cached.
pub const FOLDER: &str = ".well-known/twinsite/";

/// The key of the failover switch: while it exists in the backup bucket, DNS leads to the backup. It needs no control plane.
pub const STOP: &str = ".well-known/twinsite/stop.txt";

/// What the failover switch contains, and the health check looks for.
pub const STOP_WORD: &str = "stop";

/// The path at which edges answer by themselves, without an origin: it tells whether CloudFront works. No bucket has such an object.
pub const EDGE: &str = ".well-known/twinsite/edge.txt";

/// The path at which edges answer from which origin the viewer-request function has visitors served, without an origin: `primary`,
/// `backup` or a percentage. No bucket has such an object.
pub const ORIGIN: &str = ".well-known/twinsite/origin.txt";

/// The query with which edges answer at [`ORIGIN`] what they read of the redirect table instead: its digest, [`TABLE_ABSENT`] or
/// [`TABLE_UNREADABLE`].
pub const TABLE_QUERY: &str = "rules";

/// There is no redirect table.
pub const TABLE_ABSENT: &str = "none";

/// The key value store cannot be read.
pub const TABLE_UNREADABLE: &str = "unreadable";

/// The object that is requested through the distribution and at website endpoints.
pub const HEALTH: &str = ".well-known/twinsite/health.txt";

/// The key that the distribution serves from one side only.
pub fn key_of(side: Side) -> String {
    format!("{FOLDER}{side}/health.txt")
}

impl Site {
    /// The word that health checks look for. It is no secret.
    pub fn health_word(&self) -> String {
        let named = format!("{}/{}", self.account, self.domain);
        format!("twinsite-{}", hex::encode(&Sha256::digest(named)[..8]))
    }

    /// The keys that both buckets must have for health checks to work.
    pub fn health_keys(&self) -> Vec<String> {
        match self.mode {
            Mode::Dns | Mode::Layered => vec![HEALTH.to_owned()],
            // The buckets are private: each side is asked through the distribution, at a path of its own.
            Mode::Origin => vec![HEALTH.to_owned(), key_of(Side::Primary), key_of(Side::Backup)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pair;

    #[test]
    fn every_site_has_its_own_word_and_private_buckets_a_key_for_each_side() {
        let regions = || Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let site = |domain: &str, mode| {
            Site::new(domain.parse().unwrap(), mode, "111122223333".parse().unwrap(), regions()).unwrap()
        };
        let (one, two) = (site("a.example.com", Mode::Dns), site("b.example.com", Mode::Origin));
        assert_ne!(one.health_word(), two.health_word());
        assert_eq!((one.health_keys().len(), two.health_keys().len()), (1, 3));
        assert!(two.health_keys().iter().all(|key| key.starts_with(FOLDER)) && STOP.starts_with(FOLDER));
    }
}
