//! Distributions.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::super::reply::rfc3339;
use super::{Answer, Answered, Call};
use crate::world::Account;
use crate::world::cloudfront::{Distribution, Element, Fault};

/// The parts of a configuration that a listing shows.
const SHOWN: [&str; 15] = [
    "Aliases",
    "Origins",
    "OriginGroups",
    "DefaultCacheBehavior",
    "CacheBehaviors",
    "CustomErrorResponses",
    "Comment",
    "PriceClass",
    "Enabled",
    "ViewerCertificate",
    "Restrictions",
    "WebACLId",
    "HttpVersion",
    "IsIPV6Enabled",
    "Staging",
];

/// What every answer about a distribution begins with.
fn head(distribution: &Distribution, now: SystemTime) -> Vec<Element> {
    vec![
        Element::leaf("Id", distribution.id.as_str()),
        Element::leaf("ARN", distribution.arn()),
        Element::leaf("Status", distribution.status(now)),
        Element::leaf("LastModifiedTime", rfc3339(distribution.modified)),
        Element::leaf("DomainName", distribution.domain()),
    ]
}

fn whole(distribution: &Distribution, now: SystemTime) -> Element {
    let mut children = head(distribution, now);
    let going = distribution.invalidations.iter().filter(|invalidation| invalidation.status(now) == "InProgress");
    children.push(Element::leaf("InProgressInvalidationBatches", going.count().to_string()));
    children.push(distribution.config.clone());
    Element::node("Distribution", children)
}

fn summary(distribution: &Distribution, now: SystemTime) -> Element {
    let mut children = head(distribution, now);
    children.extend(SHOWN.iter().filter_map(|name| distribution.config.child(name)).cloned());
    Element::node("DistributionSummary", children)
}

fn tags(of: &Element) -> BTreeMap<String, String> {
    let pair = |tag: &Element| (tag.at("Key").to_owned(), tag.at("Value").to_owned());
    of.items("Tags").iter().map(pair).collect()
}

impl Call<'_> {
    pub(super) fn create_distribution(&self, tagged: bool) -> Answered {
        let body = self.body()?;
        let config = if tagged { body.child("DistributionConfig").cloned().unwrap_or_default() } else { body.clone() };
        let (made, now) = self.world.change_account(|account, moment| {
            let Account { cloudfront, acm, .. } = account;
            Ok::<_, Fault>((cloudfront.create(config, tags(&body), acm, moment)?, moment.now))
        })?;
        let location = format!("{}distribution/{}", super::VERSION, made.id);
        Ok(Answer::created(whole(&made, now), &made.etag, &location))
    }

    pub(super) fn get_distribution(&self) -> Answered {
        self.world.account(|account, moment| {
            let distribution = account.cloudfront.distribution(self.id())?;
            Ok(Answer::tagged(whole(distribution, moment.now), &distribution.etag))
        })
    }

    pub(super) fn get_distribution_config(&self) -> Answered {
        self.world.account(|account, _| {
            let distribution = account.cloudfront.distribution(self.id())?;
            Ok(Answer::tagged(distribution.config.clone(), &distribution.etag))
        })
    }

    pub(super) fn update_distribution(&self) -> Answered {
        let config = self.body()?;
        let (changed, now) = self.world.change_account(|account, moment| {
            let Account { cloudfront, acm, .. } = account;
            Ok::<_, Fault>((cloudfront.update((self.id(), self.if_match), config, acm, moment)?, moment.now))
        })?;
        Ok(Answer::tagged(whole(&changed, now), &changed.etag))
    }

    pub(super) fn delete_distribution(&self) -> Answered {
        self.world.change_account(|account, moment| {
            account.cloudfront.delete(self.id(), self.if_match, moment.now)?;
            Ok(Answer::nothing())
        })
    }

    pub(super) fn list_distributions(&self) -> Answer {
        let all = self.world.account(|account, moment| {
            let all = account.cloudfront.distributions();
            all.map(|distribution| (distribution.id.clone(), summary(distribution, moment.now))).collect()
        });
        self.listed("DistributionList", all)
    }
}
