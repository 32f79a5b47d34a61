//! Operations on distributions.

use std::time::SystemTime;

use super::super::check::{check_logging, complete};
use super::super::{Distribution, Element};
use super::tags::tags_in;
use super::{Call, Output, Reply};
use crate::context::Tags;
use crate::protocol::reply::rfc3339;

/// The settings that a listing contains.
const LISTED: [&str; 15] = [
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

/// The elements that `Distribution` and `DistributionSummary` share.
fn common(distribution: &Distribution, now: SystemTime) -> Vec<Element> {
    vec![
        Element::leaf("Id", distribution.id.as_str()),
        Element::leaf("ARN", distribution.arn()),
        Element::leaf("Status", distribution.status(now)),
        Element::leaf("LastModifiedTime", rfc3339(distribution.modified)),
        Element::leaf("DomainName", distribution.domain()),
    ]
}

fn whole(distribution: &Distribution, now: SystemTime) -> Element {
    let mut children = common(distribution, now);
    let in_progress = distribution.invalidations.iter().filter(|one| one.status(now) == "InProgress");
    children.push(Element::leaf("InProgressInvalidationBatches", in_progress.count().to_string()));
    for list in ["ActiveTrustedSigners", "ActiveTrustedKeyGroups"] {
        let none = vec![Element::leaf("Enabled", "false"), Element::leaf("Quantity", "0")];
        children.push(Element::node(list, none));
    }
    children.push(complete(&distribution.config));
    Element::node("Distribution", children)
}

fn summary(distribution: &Distribution, now: SystemTime) -> Element {
    let mut children = common(distribution, now);
    let config = complete(&distribution.config);
    children.extend(LISTED.iter().filter_map(|name| config.child(name)).cloned());
    Element::node("DistributionSummary", children)
}

impl Call<'_> {
    pub(super) fn create_distribution_with_tags(&mut self) -> Reply {
        let body = self.body()?;
        let config = body.child("DistributionConfig").cloned().unwrap_or_default();
        self.create(config, tags_in(body.child("Tags")))
    }

    pub(super) fn create_distribution(&mut self) -> Reply {
        self.create(self.body()?, Tags::new())
    }

    fn create(&mut self, config: Element, tags: Tags) -> Reply {
        check_logging(&config, self.s3)?;
        let distribution = self.cloudfront.create(config, tags, self.acm, self.now)?;
        let path = format!("distribution/{}", distribution.id);
        Ok(Output::created(whole(&distribution, self.now.time), &distribution.etag, &path))
    }

    pub(super) fn get_distribution(&self) -> Reply {
        let distribution = self.cloudfront.distribution(self.id)?;
        Ok(Output::with_etag(whole(distribution, self.now.time), &distribution.etag))
    }

    pub(super) fn get_distribution_config(&self) -> Reply {
        let distribution = self.cloudfront.distribution(self.id)?;
        Ok(Output::with_etag(complete(&distribution.config), &distribution.etag))
    }

    pub(super) fn update_distribution(&mut self) -> Reply {
        let config = self.body()?;
        check_logging(&config, self.s3)?;
        let distribution = self.cloudfront.update(self.id, self.if_match, config, self.acm, self.now)?;
        Ok(Output::with_etag(whole(&distribution, self.now.time), &distribution.etag))
    }

    pub(super) fn delete_distribution(&mut self) -> Reply {
        self.cloudfront.delete(self.id, self.if_match, self.now.time)?;
        Ok(Output::no_content())
    }

    pub(super) fn list_distributions(&self) -> Output {
        let all = self.cloudfront.distributions().filter(|distribution| self.now.time >= distribution.listed);
        let items = all.map(|distribution| (distribution.id.clone(), summary(distribution, self.now.time)));
        self.page("DistributionList", items)
    }
}
