//! The record sets of a site, as data; and the same as words, in which what is there is compared with them.

use std::fmt;

use twinsite_core::{Deferred, Host, Need, Region, ResourceId, Side};

use crate::health::Role;
use crate::want::Desired;
use crate::zone::{CLOUDFRONT_ALIAS_ZONE, UnknownZone, website_alias_zone};

/// Which of a failover pair a record set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failover {
    /// Answered while its check is healthy.
    Primary,
    /// Answered otherwise.
    Secondary,
}

impl Failover {
    /// Route 53's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Secondary => "SECONDARY",
        }
    }

    /// What tells the pair's sets apart, and ours from those of others.
    pub(crate) fn identifier(self) -> &'static str {
        match self {
            Self::Primary => "twinsite-primary",
            Self::Secondary => "twinsite-backup",
        }
    }
}

/// Where a record set leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host.
    pub host: Deferred<Host>,
    /// The hosted zone of the host, for alias records.
    pub alias_zone: Option<String>,
}

/// How a record set answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where it leads.
    pub target: Target,
    /// Which of a pair it is; `None` when it is alone.
    pub failover: Option<Failover>,
    /// The check that decides.
    pub check: Option<Deferred<ResourceId>>,
    /// How long resolvers keep it, in seconds; alias records have the target's.
    pub ttl: Option<u64>,
}

/// A record set that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `A`, `AAAA` or `CNAME`.
    pub r#type: &'static str,
    /// How it answers.
    pub answer: Answer,
}

impl Wanted {
    pub(crate) fn needs(&self) -> Vec<Need> {
        let check = self.answer.check.as_ref().and_then(Deferred::need);
        self.answer.target.host.need().into_iter().chain(check).collect()
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Answer { target: Target { host, alias_zone }, failover, check, ttl } = &self.answer;
        let host = host.to_string();
        let host = host.trim_end_matches('.');
        match (alias_zone, ttl) {
            (Some(zone), _) => write!(f, "alias {host} in {zone}")?,
            (None, ttl) => write!(f, "{host}, TTL {}", ttl.unwrap_or_default())?,
        }
        if let Some(failover) = failover {
            write!(f, ", {}", failover.as_str())?;
        }
        check.as_ref().map_or(Ok(()), |check| write!(f, ", health check {check}"))
    }
}

/// The record sets of a site.
pub(super) fn wanted(
    want: &Desired,
    apex: bool,
    id: impl Fn(Role) -> Option<Deferred<ResourceId>>,
) -> Result<Vec<Wanted>, UnknownZone> {
    let front = |alias: bool| {
        let alias_zone = alias.then(|| CLOUDFRONT_ALIAS_ZONE.to_owned());
        Target { host: want.host.clone(), alias_zone }
    };
    if !want.fails_over() {
        let alone = |r#type| {
            let answer = Answer { target: front(true), failover: None, check: None, ttl: None };
            Wanted { r#type, answer }
        };
        return Ok(vec![alone("A"), alone("AAAA")]);
    }
    let region: &Region = want.site.regions.get(Side::Backup);
    let backup = if apex {
        // Below a zone of S3's, a website endpoint goes by the region's name alone; the bucket bears the record's name.
        let alias_zone = Some(website_alias_zone(region, &want.website_zones)?);
        Target { host: Deferred::Known(Host(region.website_host())), alias_zone }
    } else {
        Target { host: Deferred::Known(Host(want.site.website_host(Side::Backup))), alias_zone: None }
    };
    let (r#type, ttl) = if apex { ("A", None) } else { ("CNAME", Some(want.health.ttl.as_secs())) };
    let one = |failover, target, check| {
        let answer = Answer { target, failover: Some(failover), check: id(check), ttl };
        Wanted { r#type, answer }
    };
    Ok(vec![one(Failover::Primary, front(apex), Role::Serving), one(Failover::Secondary, backup, Role::Backup)])
}
