//! What a distribution should be like, as data; and the same as words, in which what is there is compared with it.

use std::collections::BTreeMap;

use twinsite_core::{Arn, Deferred, Mode, Need, ResourceId, Side, probe};

use crate::want::Desired;

/// The managed cache policies. <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>
pub(super) const CACHING: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
pub(super) const NO_CACHING: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
/// The managed security headers. <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html>
const SECURITY_HEADERS: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";
/// The oldest TLS that is spoken. Route 53's health checks do not speak 1.3 alone.
pub(super) const TLS: &str = "TLSv1.2_2021";
/// The name of the origin group.
pub(super) const GROUP: &str = "site";
/// Attempts, and seconds to connect and to answer: a dead primary delays a request by a few seconds, not by thirty.
pub(super) const ATTEMPTS: i32 = 2;
pub(super) const CONNECT: i32 = 3;
pub(super) const READ: i32 = 10;
/// Seconds for which a missing page is remembered as missing.
pub(super) const ERROR_TTL: i64 = 10;

/// Where objects come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its name within the distribution.
    pub id: String,
    /// Its host.
    pub host: String,
    /// How it is asked.
    pub kind: OriginKind,
}

/// How an origin is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// As anybody asks a website endpoint: over HTTP, which is all that those speak.
    Website,
    /// As S3's own API, signed through this access control.
    Private(Deferred<ResourceId>),
}

/// What a distribution should be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The name that visitors type.
    pub alias: String,
    /// How the distribution is found again.
    pub comment: String,
    /// What makes its creation repeatable.
    pub reference: String,
    /// The object at the top; website endpoints have their own.
    pub root: String,
    /// Whether visitors come over IPv6 too.
    pub ipv6: bool,
    /// Where edges are used.
    pub price_class: &'static str,
    /// The certificate.
    pub certificate: Deferred<Arn>,
    /// The two buckets, the primary first; in mode `dns` only that one.
    pub origins: Vec<Origin>,
    /// The answers after which the second origin is asked; empty without an origin group.
    pub failover: &'static [i32],
    /// `redirect-to-https` or `allow-all`.
    pub viewer: &'static str,
    /// The response headers policy.
    pub headers: Option<&'static str>,
    /// The function that runs for every request.
    pub function: Option<Arn>,
    /// The page for what is not there.
    pub error_page: Option<String>,
    /// Paths that are never cached, and where they lead; the more specific first.
    pub probes: Vec<(String, String)>,
}

impl Settings {
    pub(crate) fn new(
        want: &Desired,
        certificate: Deferred<Arn>,
        control: &Deferred<ResourceId>,
        function: Arn,
    ) -> Self {
        let (site, private) = (&want.site, want.private());
        let kind = || if private { OriginKind::Private(control.clone()) } else { OriginKind::Website };
        let host = |side| if private { s3_host(want, side) } else { site.website_host(side) };
        let sides = if site.mode == Mode::Dns { &[Side::Primary][..] } else { &Side::BOTH };
        let origins = sides.iter().map(|side| Origin { id: side.to_string(), host: host(*side), kind: kind() });
        let group = want.failover_codes();
        let target = if group.is_empty() { Side::Primary.to_string() } else { GROUP.to_owned() };
        let one_side = |side: Side| (format!("/{}{side}/*", probe::FOLDER), side.to_string());
        let mut probes: Vec<_> = if private { Side::BOTH.into_iter().map(one_side).collect() } else { Vec::new() };
        probes.push((format!("/{}*", probe::FOLDER), target));
        Self {
            alias: site.domain.to_string(),
            comment: want.comment(),
            reference: format!("twinsite:{}:{}", site.account, site.domain),
            root: if private { want.index.clone() } else { String::new() },
            ipv6: private || !want.apex,
            price_class: want.price_class.as_str(),
            certificate,
            origins: origins.collect(),
            failover: group,
            viewer: if want.redirect_to_https { "redirect-to-https" } else { "allow-all" },
            headers: want.security_headers.then_some(SECURITY_HEADERS),
            function: private.then_some(function),
            error_page: want.not_found.as_ref().filter(|_| private).map(|key| format!("/{key}")),
            probes,
        }
    }

    /// Where most requests lead.
    pub(crate) fn target(&self) -> String {
        if self.failover.is_empty() { Side::Primary.to_string() } else { GROUP.to_owned() }
    }

    pub(crate) fn needs(&self) -> Vec<Need> {
        let controls = self.origins.iter().filter_map(|origin| match &origin.kind {
            OriginKind::Private(control) => control.need(),
            OriginKind::Website => None,
        });
        self.certificate.need().into_iter().chain(controls).collect()
    }

    /// Every setting in words: what is compared, shown and fingerprinted.
    pub fn words(&self) -> BTreeMap<String, String> {
        let Self {
            alias,
            comment: _,
            reference: _,
            root,
            ipv6,
            price_class,
            certificate,
            origins,
            failover,
            viewer,
            headers,
            function,
            error_page,
            probes,
        } = self;
        let mut words = BTreeMap::new();
        let mut say = |name: String, value: String| drop(words.insert(name, value));
        say(format!("Alias {alias}"), "present".to_owned());
        say("Enabled".to_owned(), "true".to_owned());
        say("DefaultRootObject".to_owned(), root.clone());
        say("IsIPV6Enabled".to_owned(), ipv6.to_string());
        say("HttpVersion".to_owned(), "http2and3".to_owned());
        say("PriceClass".to_owned(), (*price_class).to_owned());
        say("ViewerCertificate".to_owned(), format!("{certificate}, {TLS}, sni-only"));
        for Origin { id, host, kind } in origins {
            let how = match kind {
                OriginKind::Website => "website, http-only 80".to_owned(),
                OriginKind::Private(control) => format!("private, {control}"),
            };
            say(format!("Origin {id}"), format!("{host}, {how}, {ATTEMPTS} attempts, {CONNECT} s, {READ} s"));
        }
        let codes: Vec<String> = failover.iter().map(ToString::to_string).collect();
        if !codes.is_empty() {
            let members: Vec<&str> = origins.iter().map(|origin| origin.id.as_str()).collect();
            say(format!("OriginGroup {GROUP}"), format!("{} on {}", members.join(" then "), codes.join(", ")));
        }
        let mut behavior = vec![self.target(), (*viewer).to_owned(), "GET HEAD OPTIONS".to_owned()];
        behavior.extend(["compressed".to_owned(), CACHING.to_owned()]);
        behavior.extend(headers.map(str::to_owned));
        behavior.extend(function.as_ref().map(|function| format!("{function} at viewer-request")));
        say("DefaultCacheBehavior".to_owned(), behavior.join(", "));
        for (index, (pattern, target)) in probes.iter().enumerate() {
            say(format!("CacheBehavior {pattern}"), format!("{}: {target}, allow-all, {NO_CACHING}", index + 1));
        }
        if let Some(page) = error_page {
            say("CustomErrorResponse 404".to_owned(), format!("{page} as 404, {ERROR_TTL} s"));
        }
        words
    }
}

/// The host of a bucket in its own region: the global one redirects while a bucket is young.
fn s3_host(want: &Desired, side: Side) -> String {
    format!("{}.s3.{}.amazonaws.com", want.site.buckets.get(side), want.site.regions.get(side))
}
