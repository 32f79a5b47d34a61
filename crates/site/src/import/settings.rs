//! From what there is to the keys of a configuration: pure.

use toml::Value;
use twinsite_cdn::{
    ExistingBehavior, ExistingDistribution, GeoRestriction, GeoRestrictionKind, Logging, MinimumTls, OriginAccess,
    OwnerSetting, OwnerSettings, ShieldRegion, WebAclArn,
};
use twinsite_core::{BucketName, Mode, Pair, Region};
use twinsite_dns_failover::Routing;
use twinsite_s3_site::DefaultEncryption;

use super::choice::{chosen_mode, is_own, is_site_bucket, other_region};
use super::facts::{BucketHost, Facts, ReadBucket, served_origins};
use super::text::Document;
use super::{Effect, ImportRequest, Imported, ImportedBucket, NotExpressed, redirects};
use crate::error::Error;

/// A configuration in the making.
struct Draft<'a> {
    facts: &'a Facts,
    mode: Mode,
    document: Document,
    not_expressed: Vec<NotExpressed>,
}

/// The configuration that leaves what there is as it is.
pub(super) fn configuration(request: &ImportRequest, facts: &Facts) -> Result<Imported, Error> {
    let (mode, why) = chosen_mode(request, facts);
    let mut draft = Draft { facts, mode, document: Document::default(), not_expressed: Vec::new() };
    draft.document.set("site", "domain", facts.domain.as_str().into(), "");
    draft.document.set("site", "mode", mode.as_str().into(), why);
    draft.tags();
    draft.regions(request)?;
    if let Some(distribution) = &facts.distribution {
        draft.viewers(distribution);
        draft.owner_settings(distribution);
        draft.origins(distribution);
        draft.behaviors(distribution);
        draft.others(distribution);
    }
    draft.dns();
    draft.documents();
    draft.website();
    draft.buckets();
    let Draft { document, not_expressed, .. } = draft;
    let read: Vec<String> = facts
        .distribution
        .iter()
        .map(|one| format!("the distribution {}", one.id))
        .chain(facts.buckets.iter().map(|one| format!("the bucket {}", one.name)))
        .collect();
    let heading = format!(
        "Imported from {}. Every key is described in\n{}/blob/v{}/docs/src/reference/configuration.md",
        read.join(" and "),
        env!("CARGO_PKG_REPOSITORY"),
        env!("CARGO_PKG_VERSION")
    );
    Ok(Imported {
        domain: facts.domain.to_string(),
        mode: mode.to_string(),
        bucket: facts.buckets.first().map(|one| ImportedBucket {
            name: one.name.to_string(),
            region: one.region.to_string(),
            adopted: is_site_bucket(one, facts, mode),
        }),
        distribution: facts.distribution.as_ref().map(|one| one.id.to_string()),
        zone: facts.zone.as_ref().map(|zone| zone.id.to_string()),
        settings: document.settings(),
        not_expressed,
        configuration: document.text(&heading),
    })
}

impl Draft<'_> {
    fn not_expressed(
        &mut self,
        of: &str,
        setting: &str,
        value: impl Into<String>,
        effect: Effect,
    ) -> &mut NotExpressed {
        let (of, setting, value) = (of.to_owned(), setting.to_owned(), value.into());
        self.not_expressed.push(NotExpressed { of, setting, value, effect, note: None });
        let last = self.not_expressed.len() - 1;
        &mut self.not_expressed[last]
    }

    /// The tags of the distribution and of the first bucket, which new resources get.
    fn tags(&mut self) {
        let mut tags = toml::Table::new();
        let bucket = self.facts.buckets.first().map(|one| &one.bucket.settings.tags);
        let all = self.facts.distribution.as_ref().map(|one| &one.tags).into_iter().chain(bucket).flatten();
        let allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
        let mut left_out = Vec::new();
        for (key, value) in all {
            let lower = key.to_lowercase();
            if lower.starts_with("aws:") || lower.starts_with("twinsite:") || tags.contains_key(key) {
                continue;
            }
            // Route 53 allows 10 tags for a health check, and twinsite needs three of them.
            if key == "Name" || tags.len() >= 7 || !allowed(key) || !allowed(value) {
                left_out.push(format!("{key} = {value}"));
            } else {
                tags.insert(key.clone(), value.clone().into());
            }
        }
        if !tags.is_empty() {
            self.document.set("site", "tags", Value::Table(tags), "tags of new resources");
        }
        if !left_out.is_empty() {
            self.not_expressed("tags", "tags", left_out.join(", "), Effect::Kept);
        }
    }

    fn regions(&mut self, request: &ImportRequest) -> Result<(), Error> {
        const CHOSEN: &str = "chosen: nothing is there yet; set the one you prefer";
        let facts = self.facts;
        let of = |bucket: &ReadBucket| (bucket.region.clone(), format!("region of the bucket {}", bucket.name));
        let named = facts.buckets.iter().find(|one| one.name.as_str() == facts.domain.as_str());
        let backup = if self.mode.public_buckets() { named } else { facts.buckets.get(1) };
        let primary = facts.buckets.iter().find(|one| backup.is_none_or(|backup| backup.name != one.name));
        let asked = |region: &Option<Region>| region.clone().map(|region| (region, "as asked for".to_owned()));
        let primary = asked(&request.primary).or_else(|| primary.map(of));
        let backup = asked(&request.backup).or_else(|| backup.map(of));
        let chosen = |other: &Region| Ok::<_, Error>((other_region(other)?, CHOSEN.to_owned()));
        let pair = match (primary, backup) {
            // Two buckets in one region: the one that visitors are served from stays where it is.
            (Some(primary), Some(backup)) if primary.0 == backup.0 && self.mode.public_buckets() => {
                Pair::new(chosen(&primary.0)?, backup)
            }
            (Some(primary), Some(backup)) if primary.0 == backup.0 => Pair::new(primary.clone(), chosen(&primary.0)?),
            (Some(primary), Some(backup)) => Pair::new(primary, backup),
            (Some(primary), None) => Pair::new(primary.clone(), chosen(&primary.0)?),
            (None, Some(backup)) => Pair::new(chosen(&backup.0)?, backup),
            (None, None) => {
                let primary = (Region::us_east_1(), CHOSEN.to_owned());
                Pair::new(primary.clone(), chosen(&primary.0)?)
            }
        };
        let new: Vec<Value> =
            pair.iter().filter(|(_, found)| !found.0.is_known()).map(|(_, found)| found.0.as_str().into()).collect();
        if !new.is_empty() {
            self.document.set("site", "new_regions", Value::Array(new), "");
        }
        let Pair { primary, backup } = pair;
        self.document.set("primary", "region", primary.0.as_str().into(), primary.1);
        self.document.set("backup", "region", backup.0.as_str().into(), backup.1);
        Ok(())
    }

    /// What visitors notice of a distribution: certificate, HTTPS, headers, price class.
    fn viewers(&mut self, distribution: &ExistingDistribution) {
        let of = format!("distribution {}", distribution.id);
        let behavior = &distribution.default_behavior;
        match (&distribution.certificate, &distribution.iam_certificate) {
            // twinsite finds the certificate of a site of its own, and keeps the record by which ACM renews it only if no key names it.
            (Some(_), _) if is_own(self.facts) => {}
            (Some(arn), _) => self.document.set("cdn", "certificate_arn", arn.as_str().into(), "ViewerCertificate"),
            (None, Some(id)) => {
                let note =
                    "import it into ACM in us-east-1 (`twinsite cert import`), or let `apply` request another one";
                let one = self.not_expressed(&of, "ViewerCertificate.IAMCertificateId", id, Effect::Replaced);
                one.note = Some(note.to_owned());
            }
            (None, None) => {}
        }
        let class = match distribution.price_class.as_str() {
            "PriceClass_100" => "100",
            "PriceClass_200" => "200",
            _ => "all",
        };
        self.document.set("cdn", "price_class", class.into(), distribution.price_class.clone());
        let redirects = behavior.viewer_protocol_policy != "allow-all";
        self.document.set("cdn", "redirect_to_https", redirects.into(), behavior.viewer_protocol_policy.clone());
        if behavior.viewer_protocol_policy == "https-only" {
            let one = self.not_expressed(&of, "ViewerProtocolPolicy", "https-only", Effect::Replaced);
            one.note = Some("visitors over HTTP are redirected to HTTPS, instead of being refused".to_owned());
        }
        self.document.set("cdn", "security_headers", behavior.security_headers.into(), "ResponseHeadersPolicyId");
        // The plan would refuse these otherwise.
        let insists = behavior.security_headers && self.mode.public_buckets() || redirects && self.mode == Mode::Dns;
        if insists {
            let why = "the standby of this mode serves HTTP only, while browsers are led to HTTPS";
            self.document.set("cdn", "accept_http_standby", true.into(), why);
        }
    }

    /// Settings of owners. One that the configuration cannot have is left out, so that it stays as it is.
    fn owner_settings(&mut self, distribution: &ExistingDistribution) {
        let of = format!("distribution {}", distribution.id);
        if let (Some(_), Ok(policy)) = (&distribution.certificate, distribution.minimum_tls.parse::<MinimumTls>()) {
            let settings = OwnerSettings { minimum_tls: policy, ..OwnerSettings::default() };
            match settings.check(self.mode) {
                Ok(()) => {
                    self.document.set(
                        "cdn",
                        "minimum_tls",
                        policy.as_str().into(),
                        "ViewerCertificate.MinimumProtocolVersion",
                    );
                }
                Err(invalid) => {
                    let setting = "ViewerCertificate.MinimumProtocolVersion";
                    self.not_expressed(&of, setting, policy.as_str(), Effect::Replaced).note =
                        Some(invalid.to_string());
                }
            }
        }
        if let Some(acl) = &distribution.web_acl {
            match acl.parse::<WebAclArn>() {
                Ok(_) => self.document.set("cdn", "web_acl_arn", acl.as_str().into(), "WebACLId"),
                Err(invalid) => {
                    self.not_expressed(&of, "WebACLId", acl, Effect::Kept).note = Some(invalid.to_string());
                }
            }
        }
        if let Some(restriction) = &distribution.geo_restriction {
            let (kind, name) = match restriction.kind.as_str() {
                "whitelist" => (GeoRestrictionKind::Allow, "allow"),
                _ => (GeoRestrictionKind::Deny, "deny"),
            };
            let checked = GeoRestriction::new(kind, restriction.codes.iter().cloned()).and_then(|restriction| {
                let geo_restriction = OwnerSetting::Value(restriction.clone());
                OwnerSettings { geo_restriction, ..OwnerSettings::default() }.check(self.mode).map(|()| restriction)
            });
            match checked {
                Ok(restriction) => {
                    let codes = Value::Array(restriction.codes().map(Value::from).collect());
                    let table = toml::Table::from_iter([(name.to_owned(), codes)]);
                    self.document.set("cdn", "geo_restriction", Value::Table(table), "Restrictions.GeoRestriction");
                }
                Err(invalid) => {
                    let value = format!("{} {}", restriction.kind, restriction.codes.join(" "));
                    let one = self.not_expressed(&of, "Restrictions.GeoRestriction", value, Effect::Kept);
                    one.note = Some(invalid.to_string());
                }
            }
        }
        if let Some(logging) = &distribution.logging {
            let name = BucketHost::parse(&logging.bucket).map(|host| host.bucket).unwrap_or_default();
            let bucket = name.parse::<BucketName>().ok();
            match bucket.and_then(|bucket| Logging::new(bucket, logging.prefix.clone()).ok()) {
                Some(known) if !logging.cookies => {
                    self.document.set("cdn", "log_bucket", known.bucket.as_str().into(), "Logging");
                    if !known.prefix.is_empty() {
                        self.document.set("cdn", "log_prefix", known.prefix.as_str().into(), "Logging");
                    }
                }
                _ => {
                    let cookies = if logging.cookies { " with cookies" } else { "" };
                    let value = format!("{}/{}{cookies}", logging.bucket, logging.prefix);
                    self.not_expressed(&of, "Logging", value, Effect::Kept);
                }
            }
        }
        let shields = served_origins(distribution).into_iter().filter_map(|origin| origin.shield.clone());
        let shields: Vec<String> = shields.collect();
        if let Some(region) = shields.first() {
            match region.parse::<ShieldRegion>() {
                Ok(_) => self.document.set("cdn", "origin_shield_region", region.as_str().into(), "OriginShield"),
                Err(invalid) => {
                    let one = self.not_expressed(&of, "OriginShield", region, Effect::Unused);
                    one.note = Some(invalid.to_string());
                }
            }
        }
    }

    /// Origins: twinsite adds its own, and serves from them.
    fn origins(&mut self, distribution: &ExistingDistribution) {
        let of = format!("distribution {}", distribution.id);
        let served: Vec<&str> = served_origins(distribution).iter().map(|origin| origin.id.as_str()).collect();
        for origin in &distribution.origins {
            let is_served = served.contains(&origin.id.as_str());
            let bucket = BucketHost::parse(&origin.host).filter(|_| is_served);
            let value = format!("{} ({})", origin.id, origin.host);
            match &bucket {
                None => {
                    let by_others = distribution.behaviors.iter().any(|one| one.target == origin.id);
                    let effect = if by_others { Effect::Kept } else { Effect::Unused };
                    let one = self.not_expressed(&of, "Origin", &value, effect);
                    if is_served {
                        let note = "visitors are served from it, and it is no bucket: publish what it serves to the site's buckets";
                        one.note = Some(note.to_owned());
                    }
                }
                Some(_) if !origin.path.is_empty() => {
                    let one =
                        self.not_expressed(&of, "OriginPath", format!("{value}: {}", origin.path), Effect::Unused);
                    one.note = Some("publish the directory to the top of the site's buckets".to_owned());
                }
                Some(_) => {}
            }
            if is_served && !origin.headers.is_empty() {
                let value = format!("{value}: {}", origin.headers.join(", "));
                self.not_expressed(&of, "CustomHeaders", value, Effect::Unused);
            }
            if is_served
                && matches!(origin.access, OriginAccess::AccessIdentity | OriginAccess::Public)
                && bucket.is_some()
            {
                let one = self.not_expressed(&of, "S3OriginConfig", value_of(origin.access), Effect::Replaced);
                one.note = Some("by an origin access control".to_owned());
            }
        }
    }

    /// Cache behaviors: twinsite manages the default one, and adds its own before the others.
    fn behaviors(&mut self, distribution: &ExistingDistribution) {
        let of = format!("distribution {}", distribution.id);
        let own = is_own(self.facts);
        let ExistingBehavior { cache_policy, functions, lambdas, response_headers_policy, security_headers, .. } =
            &distribution.default_behavior;
        let behavior = &distribution.default_behavior;
        if !behavior.caching_optimized {
            let value = cache_policy.clone().unwrap_or_else(|| "ForwardedValues (legacy)".to_owned());
            let one = self.not_expressed(&of, "DefaultCacheBehavior.CachePolicyId", value, Effect::Replaced);
            one.note = Some(
                "by the managed policy CachingOptimized: cookies and query strings are not part of the cache key"
                    .to_owned(),
            );
        }
        if let Some(policy) = response_headers_policy.as_ref().filter(|_| !security_headers) {
            let one = self.not_expressed(&of, "DefaultCacheBehavior.ResponseHeadersPolicyId", policy, Effect::Replaced);
            one.note = Some("headers of objects are set with [[publish.headers]] or a file _headers".to_owned());
        }
        for function in functions.iter().filter(|_| !own) {
            let one = self.not_expressed(&of, "DefaultCacheBehavior.FunctionAssociations", function, Effect::Replaced);
            one.note =
                Some("redirects and clean URLs have keys of their own: [[redirects]], publish.clean_urls".to_owned());
        }
        for lambda in lambdas {
            self.not_expressed(&of, "DefaultCacheBehavior.LambdaFunctionAssociations", lambda, Effect::Kept);
        }
        if let Some(policy) = &behavior.origin_request_policy {
            self.not_expressed(&of, "DefaultCacheBehavior.OriginRequestPolicyId", policy, Effect::Kept);
        }
        if let Some(arn) = &behavior.realtime_log {
            self.not_expressed(&of, "DefaultCacheBehavior.RealtimeLogConfigArn", arn, Effect::Kept);
        }
        if behavior.signed {
            let one =
                self.not_expressed(&of, "DefaultCacheBehavior.TrustedKeyGroups", "signed requests only", Effect::Kept);
            one.note = Some("health checks through the distribution are not signed, and would fail".to_owned());
        }
        if behavior.methods.iter().any(|method| !["GET", "HEAD", "OPTIONS"].contains(&method.as_str())) {
            let value = behavior.methods.join(" ");
            self.not_expressed(&of, "DefaultCacheBehavior.AllowedMethods", value, Effect::Replaced);
        }
        if !behavior.compress {
            self.not_expressed(&of, "DefaultCacheBehavior.Compress", "false", Effect::Replaced);
        }
        let folder = twinsite_core::probe::FOLDER;
        for other in &distribution.behaviors {
            if other.pattern.trim_start_matches('/').starts_with(folder) {
                continue;
            }
            let mut value = format!("{} from {}", other.pattern, other.target);
            for function in other.functions.iter().chain(&other.lambdas) {
                value.push_str(", ");
                value.push_str(function);
            }
            self.not_expressed(&of, "CacheBehavior", value, Effect::Kept);
        }
    }

    /// Aliases, error responses, and settings of the whole distribution.
    fn others(&mut self, distribution: &ExistingDistribution) {
        let of = format!("distribution {}", distribution.id);
        for alias in distribution.aliases.iter().filter(|alias| *alias != self.facts.domain.as_str()) {
            let one = self.not_expressed(&of, "Alias", alias, Effect::Kept);
            one.note = Some("its DNS records are not managed: it does not fail over by DNS".to_owned());
        }
        for error in distribution.error_responses.iter().filter(|one| ![403, 404].contains(&one.status)) {
            let page = error.page.as_deref().unwrap_or("no page");
            self.not_expressed(&of, "CustomErrorResponse", format!("{}: {page}", error.status), Effect::Kept);
        }
        if !distribution.enabled {
            self.not_expressed(&of, "Enabled", "false", Effect::Replaced);
        }
        if distribution.http_version != "http2and3" {
            self.not_expressed(&of, "HttpVersion", &distribution.http_version, Effect::Replaced);
        }
    }

    /// Hosted zone, TTL, and the settings of a health check of the site.
    fn dns(&mut self) {
        let facts = self.facts;
        let Some(zone) = &facts.zone else { return };
        self.document.set("dns", "zone_id", zone.id.as_str().into(), zone.name.trim_end_matches('.'));
        let hosts: Vec<String> = std::iter::once(facts.domain.to_string())
            .chain(facts.distribution.iter().map(|one| one.host.to_string()))
            .chain(facts.buckets.iter().map(|one| format!("{}.{}", one.name, one.region.website_host())))
            .collect();
        let of_record = |id: &String| facts.records.iter().any(|set| set.health_check.as_ref() == Some(id));
        let check = facts.checks.iter().find(|check| of_record(&check.id));
        let check = check.or_else(|| facts.checks.iter().find(|check| hosts.contains(&check.host)));
        if let Some(check) = check {
            let from = format!("health check {}", check.id);
            if [10, 30].contains(&check.interval) {
                self.document.set("dns", "health_interval", i64::from(check.interval).into(), from.clone());
            }
            if (1..=10).contains(&check.threshold) {
                self.document.set("dns", "failure_threshold", i64::from(check.threshold).into(), from);
            }
        }
        let ttl = facts.records.iter().find_map(|set| set.ttl.map(|ttl| (ttl, set.r#type.clone())));
        if let Some((ttl, r#type)) = ttl.filter(|(ttl, _)| (1..=3600).contains(ttl)) {
            let from = format!("TTL of the {type} record; visitors follow a failover after as long");
            self.document.set("dns", "ttl", i64::try_from(ttl).unwrap_or(60).into(), from);
        }
        for set in facts.records.iter().filter(|set| set.routing == Routing::Other) {
            let (of, value) = (format!("hosted zone {}", zone.id), format!("{} {}", set.r#type, set.properties));
            let one = self.not_expressed(&of, "routing policy", value, Effect::Kept);
            one.note =
                Some("`apply` does not replace record sets with another routing policy: delete them first".to_owned());
        }
    }

    /// Index and error document.
    fn documents(&mut self) {
        let facts = self.facts;
        let website = facts.buckets.iter().find_map(|one| one.bucket.settings.website.as_ref());
        let root = facts.distribution.as_ref().map(|one| one.root_object.as_str()).filter(|root| !root.is_empty());
        let from_website = |name: &str| format!("{name} of the website");
        let index = match (website, root) {
            (Some(website), _) => Some((website.index_document.clone(), from_website("IndexDocument"))),
            (None, Some(root)) => Some((root.to_owned(), "DefaultRootObject".to_owned())),
            (None, None) => None,
        };
        if let Some((index, from)) = index {
            if index.contains('/') {
                self.not_expressed("distribution", "DefaultRootObject", index, Effect::Replaced);
            } else {
                self.document.set("publish", "index", index.into(), from);
            }
        }
        let responses = facts.distribution.as_ref().map(|one| one.error_responses.as_slice()).unwrap_or_default();
        let mut missing = responses.iter().filter(|one| [403, 404].contains(&one.status) && one.page.is_some());
        let response = responses.iter().find(|one| one.status == 404 && one.page.is_some()).or_else(|| missing.next());
        let key = |page: &str| page.trim_start_matches('/').to_owned();
        let page = response.and_then(|one| one.page.as_deref());
        let spa = response.is_some_and(|one| one.response.as_deref() == Some("200"));
        if let (Some(page), true) = (page, spa) {
            let rule = redirects::Rule { from: "/*".to_owned(), to: page.to_owned(), status: 200, force: false };
            match rule.checked() {
                Ok(rule) => self.document.redirect(rule),
                Err(why) => {
                    let one = self.not_expressed("distribution", "CustomErrorResponse", page, Effect::Replaced);
                    one.note = Some(why);
                }
            }
            self.document.set("publish", "not_found", "".into(), "missing pages are answered by the rewrite below");
            return;
        }
        let from = match (page, website.and_then(|website| website.error_document.clone())) {
            (Some(page), _) => (key(page), "CustomErrorResponse".to_owned()),
            (None, Some(document)) => (document, from_website("ErrorDocument")),
            (None, None) => (String::new(), "there is no error document".to_owned()),
        };
        self.document.set("publish", "not_found", from.0.into(), from.1);
    }

    /// Redirects of the websites.
    fn website(&mut self) {
        for ReadBucket { name, bucket, .. } in &self.facts.buckets {
            let of = format!("bucket {name}");
            if let Some(redirect) = &bucket.redirect_all {
                match redirects::of_website(redirect) {
                    Ok(rule) => self.document.redirect(rule),
                    Err(why) => {
                        let one = self.not_expressed(&of, "RedirectAllRequestsTo", &redirect.host, Effect::Replaced);
                        one.note = Some(why);
                    }
                }
            }
            for rule in &bucket.routing_rules {
                match redirects::of_routing_rule(rule) {
                    Ok(rule) => self.document.redirect(rule),
                    Err(why) => {
                        let target = [&rule.host, &rule.prefix, &rule.key].into_iter().flatten().next();
                        let value = format!(
                            "{} to {}",
                            rule.if_prefix.as_deref().or(rule.if_error.as_deref()).unwrap_or("everything"),
                            target.map_or("itself", String::as_str)
                        );
                        let effect =
                            if name.as_str() == self.facts.domain.as_str() { Effect::Kept } else { Effect::Unused };
                        self.not_expressed(&of, "RoutingRule", value, effect).note = Some(why);
                    }
                }
            }
        }
    }

    /// Encryption and replication of the buckets; and buckets that could not be read.
    fn buckets(&mut self) {
        let facts = self.facts;
        for unread in &facts.unread {
            let of = format!("bucket {}", unread.name);
            self.not_expressed(&of, "settings", "not read", Effect::Unused).note = Some(unread.why.clone());
        }
        let own = is_own(facts);
        if let (true, Some(primary)) = (own, facts.buckets.first()) {
            if primary.bucket.settings.replication.managed.as_ref().is_some_and(|rule| rule.time_control) {
                self.document.set("backup", "replication_time_control", true.into(), "ReplicationTime");
            }
            if facts.buckets.get(1).is_some_and(|backup| backup.bucket.settings.replication.managed.is_some()) {
                self.document.set("backup", "replicate_back", true.into(), "the backup replicates to the primary");
            }
        }
        let keys: Vec<(&str, &str)> =
            facts.buckets.iter().filter_map(|one| kms(&one.bucket.settings.encryption)).collect();
        if let ([primary, backup], Mode::Origin) = (keys.as_slice(), self.mode) {
            self.document.set("publish", "encryption", primary.0.into(), "encryption of the buckets");
            self.document.set("primary", "kms_key", primary.1.into(), "");
            self.document.set("backup", "kms_key", backup.1.into(), "");
            return;
        }
        for one in &facts.buckets {
            if let DefaultEncryption::Kms { algorithm, key } = &one.bucket.settings.encryption {
                let value = format!("{algorithm} with {}", key.as_deref().unwrap_or("the key of AWS"));
                let note = if self.mode == Mode::Origin {
                    "set publish.encryption, and kms_key in [primary] and [backup]: each region needs a key of its own"
                } else {
                    "website endpoints cannot serve such objects; mode = \"origin\" can"
                };
                let of = format!("bucket {}", one.name);
                self.not_expressed(&of, "encryption", value, Effect::Unused).note = Some(note.to_owned());
            }
        }
        for one in &facts.buckets {
            if let Some(role) = &one.bucket.settings.replication.other_role {
                let of = format!("bucket {}", one.name);
                self.not_expressed(&of, "replication", format!("rules with the role {role}"), Effect::Kept);
            }
        }
    }
}

/// The algorithm and the key, if it is a key that a configuration may name.
fn kms(encryption: &DefaultEncryption) -> Option<(&str, &str)> {
    match encryption {
        DefaultEncryption::Kms { algorithm, key: Some(key) } if !key.contains("alias/") => Some((algorithm, key)),
        _ => None,
    }
}

fn value_of(access: OriginAccess) -> &'static str {
    match access {
        OriginAccess::AccessIdentity => "an origin access identity",
        _ => "requests without a signature",
    }
}
