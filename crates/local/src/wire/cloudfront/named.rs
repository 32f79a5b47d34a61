//! Origin access controls and response headers policies.

use super::super::reply::rfc3339;
use super::{Answer, Answered, Call};
use crate::world::cloudfront::{Element, Fault, Kind, Named};

/// The names of the elements of a kind: itself, its configuration, its list, a list's item, and the path to it.
fn words(kind: Kind) -> [&'static str; 5] {
    match kind {
        Kind::Control => [
            "OriginAccessControl",
            "OriginAccessControlConfig",
            "OriginAccessControlList",
            "OriginAccessControlSummary",
            "origin-access-control",
        ],
        Kind::Headers => [
            "ResponseHeadersPolicy",
            "ResponseHeadersPolicyConfig",
            "ResponseHeadersPolicyList",
            "ResponseHeadersPolicySummary",
            "response-headers-policy",
        ],
    }
}

fn whole(kind: Kind, named: &Named) -> Element {
    let [root, config_root, ..] = words(kind);
    let mut config = named.config.clone();
    config_root.clone_into(&mut config.name);
    let id = Element::leaf("Id", named.id.as_str());
    match kind {
        Kind::Control => Element::node(root, vec![id, config]),
        Kind::Headers => {
            let modified = Element::leaf("LastModifiedTime", rfc3339(named.modified));
            Element::node(root, vec![id, modified, config])
        }
    }
}

/// In lists, an origin access control shows its settings themselves; a policy is wrapped once more.
fn summary(kind: Kind, named: &Named) -> Element {
    let [_, _, _, item, _] = words(kind);
    match kind {
        Kind::Control => {
            let id = Element::leaf("Id", named.id.as_str());
            Element::node(item, std::iter::once(id).chain(named.config.children.iter().cloned()).collect())
        }
        Kind::Headers => Element::node(item, vec![Element::leaf("Type", "custom"), whole(kind, named)]),
    }
}

impl Call<'_> {
    pub(super) fn create_named(&self, kind: Kind) -> Answered {
        let config = self.body()?;
        let create =
            self.world.change_account(|account, moment| account.cloudfront.create_named(kind, config, moment.now));
        let made: Named = create?;
        let [.., path] = words(kind);
        let location = format!("{}{path}/{}", super::VERSION, made.id);
        Ok(Answer::created(whole(kind, &made), &made.etag, &location))
    }

    pub(super) fn get_named(&self, kind: Kind, config_only: bool) -> Answered {
        self.world.account(|account, _| {
            let named = account.cloudfront.named(kind, self.id())?;
            let body = if config_only { named.config.clone() } else { whole(kind, named) };
            Ok(Answer::tagged(body, &named.etag))
        })
    }

    pub(super) fn update_named(&self, kind: Kind) -> Answered {
        let config = self.body()?;
        let changed: Result<Named, Fault> = self.world.change_account(|account, moment| {
            account.cloudfront.update_named((kind, self.id()), self.if_match, config, moment.now)
        });
        let changed = changed?;
        Ok(Answer::tagged(whole(kind, &changed), &changed.etag))
    }

    pub(super) fn delete_named(&self, kind: Kind) -> Answered {
        self.world.change_account(|account, _| {
            account.cloudfront.delete_named(kind, self.id(), self.if_match)?;
            Ok(Answer::nothing())
        })
    }

    pub(super) fn list_named(&self, kind: Kind) -> Answer {
        let [_, _, list, ..] = words(kind);
        let all = self.world.account(|account, _| {
            let all = account.cloudfront.all(kind).values();
            all.map(|named| (named.id.clone(), summary(kind, named))).collect()
        });
        self.listed(list, all)
    }
}
