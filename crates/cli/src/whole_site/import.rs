//! `import` of sites that others have made, by plain calls of the SDKs: what it writes leaves them as they are.

use aws_sdk_cloudfront::types::{
    Aliases, CacheBehavior, CacheBehaviors, CustomErrorResponse, CustomErrorResponses, CustomOriginConfig,
    DefaultCacheBehavior, DistributionConfig, DistributionConfigWithTags, GeoRestriction, GeoRestrictionType,
    LoggingConfig, MinimumProtocolVersion, Origin, OriginAccessControlConfig, OriginAccessControlOriginTypes,
    OriginAccessControlSigningBehaviors, OriginAccessControlSigningProtocols, OriginProtocolPolicy, OriginShield,
    Origins, PriceClass, Restrictions, S3OriginConfig, SslSupportMethod, Tag, Tags, ViewerCertificate,
    ViewerProtocolPolicy,
};
use aws_sdk_s3::primitives::Blob;
use aws_sdk_s3::types::{
    BucketLocationConstraint, Condition, CreateBucketConfiguration, ErrorDocument, IndexDocument, Redirect,
    RedirectAllRequestsTo, RoutingRule, WebsiteConfiguration,
};
use twinsite_site::{Effect, ImportRequest, Imported};

use super::*;

/// The managed cache policies of the documentation.
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const ACL: &str = "arn:aws:wafv2:us-east-1:000000000000:global/webacl/site/a1b2";

/// An account with a hosted zone, and what others have made in it.
struct Account {
    cloud: Cloud,
    session: Session,
}

impl Account {
    async fn new() -> Self {
        let cloud = cloud();
        let session = open(&cloud, &toml(Mode::Layered), None).await.session;
        Self { cloud, session }
    }

    fn environment(&self) -> Environment {
        let sleep = Some(self.cloud.world().clock().sdk_sleep());
        let access = Access { embedded: Some(self.cloud.http_client()), sleep, ..Access::default() };
        Environment { access, polling: crate::local::POLLING, network: Network::Unavailable, outages: None }
    }

    /// What `import` writes. Nothing is changed by it.
    async fn import(&self, request: ImportRequest) -> Imported {
        let before = self.cloud.world().dump();
        let imported = Box::pin(site::import(&request, self.environment(), &Run::silent())).await.unwrap();
        assert_eq!(self.cloud.world().dump(), before, "import is read-only");
        // What is told beside the file is in it.
        config::parse(&imported.configuration).unwrap_or_else(|fault| panic!("{}\n{fault}", imported.configuration));
        imported
    }

    async fn bucket(&self, name: &str, region: &str) {
        let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region));
        let s3 = self.session.s3(&region.parse().unwrap());
        s3.create_bucket().bucket(name).create_bucket_configuration(place.build()).send().await.unwrap();
    }

    async fn website(&self, name: &str, region: &str, website: WebsiteConfiguration) {
        let s3 = self.session.s3(&region.parse().unwrap());
        s3.put_bucket_website().bucket(name).website_configuration(website).send().await.unwrap();
    }

    /// A certificate of another authority, by its ARN.
    async fn certificate(&self, name: &str) -> String {
        let (authority_key, key) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
        let mut authority = rcgen::CertificateParams::default();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let root = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let import = self.session.acm().import_certificate().certificate(Blob::new(leaf.pem()));
        let import = import.private_key(Blob::new(key.serialize_pem())).certificate_chain(Blob::new(root));
        import.send().await.unwrap().certificate_arn.unwrap()
    }

    async fn distribution(&self, config: DistributionConfig, team: &str) -> String {
        let tag = Tag::builder().key("team").value(team).build().unwrap();
        let tagged = DistributionConfigWithTags::builder().distribution_config(config);
        let tagged = tagged.tags(Tags::builder().items(tag).build()).build();
        let create = self.session.cloudfront().create_distribution_with_tags();
        create.distribution_config_with_tags(tagged).send().await.unwrap().distribution.unwrap().id
    }

    /// A distribution as CloudFront returns it.
    async fn read(&self, id: &str) -> DistributionConfig {
        let read = self.session.cloudfront().get_distribution_config().id(id).send().await.unwrap();
        read.distribution_config.unwrap()
    }

    /// The domain's record: an alias of the distribution, or a CNAME record.
    async fn record(&self, name: &str, host: &str, ttl: Option<i64>) {
        use aws_sdk_route53::types::{
            AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
        };
        let route53 = self.session.route53();
        let zone = route53.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0).id;
        let set = ResourceRecordSet::builder().name(name);
        let set = if let Some(ttl) = ttl {
            let value = ResourceRecord::builder().value(host).build().unwrap();
            set.r#type(RrType::Cname).ttl(ttl).resource_records(value)
        } else {
            let target = AliasTarget::builder().hosted_zone_id("Z2FDTNDATAQYW2").dns_name(host);
            set.r#type(RrType::A).alias_target(target.evaluate_target_health(false).build().unwrap())
        };
        let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(set.build().unwrap());
        let batch = ChangeBatch::builder().changes(change.build().unwrap()).build().unwrap();
        route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
    }
}

fn website_origin(host: &str) -> Origin {
    let custom = CustomOriginConfig::builder().http_port(80).https_port(443);
    let custom = custom.origin_protocol_policy(OriginProtocolPolicy::HttpOnly).build().unwrap();
    Origin::builder().id("S3-website").domain_name(host).custom_origin_config(custom).build().unwrap()
}

fn distribution(name: &str, origin: Origin, certificate: &str) -> DistributionConfig {
    let behavior = DefaultCacheBehavior::builder().target_origin_id(origin.id());
    let behavior = behavior.viewer_protocol_policy(ViewerProtocolPolicy::RedirectToHttps).compress(true);
    let viewer = ViewerCertificate::builder().acm_certificate_arn(certificate);
    let viewer = viewer.ssl_support_method(SslSupportMethod::SniOnly);
    DistributionConfig::builder()
        .caller_reference(format!("terraform-{name}"))
        .comment("our site")
        .enabled(true)
        .aliases(Aliases::builder().quantity(1).items(name).build().unwrap())
        .origins(Origins::builder().quantity(1).items(origin).build().unwrap())
        .default_cache_behavior(behavior.cache_policy_id(CACHING_OPTIMIZED).build().unwrap())
        .viewer_certificate(viewer.minimum_protocol_version(MinimumProtocolVersion::TlSv122021).build())
        .price_class(PriceClass::PriceClassAll)
        .build()
        .unwrap()
}

fn keys(imported: &Imported) -> Vec<(&str, &str)> {
    imported.settings.iter().map(|setting| (setting.key.as_str(), setting.value.as_str())).collect()
}

/// What the file says of a key.
fn key<'a>(imported: &'a Imported, name: &str) -> Option<&'a str> {
    keys(imported).into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The usual shape of tutorials: a website bucket with the domain's name, and a distribution in front of its endpoint, with what owners of
/// companies set.
async fn tutorial(account: &Account, certificate: &str) -> String {
    let name = "www.example.com";
    account.bucket(name, "eu-west-1").await;
    let condition = Condition::builder().key_prefix_equals("docs/").build();
    let redirect = Redirect::builder().replace_key_prefix_with("documents/").build();
    let website = WebsiteConfiguration::builder()
        .index_document(IndexDocument::builder().suffix("start.html").build().unwrap())
        .error_document(ErrorDocument::builder().key("lost.html").build().unwrap())
        .routing_rules(RoutingRule::builder().condition(condition).redirect(redirect).build())
        .build();
    account.website(name, "eu-west-1", website).await;
    account.bucket("logs-of-us", "us-west-2").await;
    let changed = account.cloud.world().s3().update_bucket("logs-of-us", |settings| {
        let controls = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule></OwnershipControls>";
        settings.docs.insert(twinsite_local::s3::Doc::Ownership, controls.to_owned());
    });
    changed.unwrap();
    let mut origin = website_origin("www.example.com.s3-website-eu-west-1.amazonaws.com");
    origin.origin_shield =
        Some(OriginShield::builder().enabled(true).origin_shield_region("eu-central-1").build().unwrap());
    let mut config = distribution(name, origin, certificate);
    config.web_acl_id = Some(ACL.to_owned());
    let geo = GeoRestriction::builder().restriction_type(GeoRestrictionType::Blacklist).quantity(1).items("RU");
    config.restrictions = Some(Restrictions::builder().geo_restriction(geo.build().unwrap()).build());
    let logging = LoggingConfig::builder().enabled(true).include_cookies(false);
    config.logging = Some(logging.bucket("logs-of-us.s3.amazonaws.com").prefix("cdn/").build());
    let api = CacheBehavior::builder().path_pattern("/api/*").target_origin_id("S3-website");
    let api = api.viewer_protocol_policy(ViewerProtocolPolicy::AllowAll).cache_policy_id(CACHING_OPTIMIZED);
    let api = CacheBehaviors::builder().quantity(1).items(api.build().unwrap()).build().unwrap();
    config.cache_behaviors = Some(api);
    let id = account.distribution(config, "web").await;
    account.record(name, "d111.cloudfront.net", None).await;
    id
}

/// What visitors and owners notice is as it was.
fn assert_kept(before: &DistributionConfig, after: &DistributionConfig) {
    assert_eq!(after.web_acl_id(), before.web_acl_id());
    assert_eq!(after.restrictions(), before.restrictions());
    assert_eq!(after.logging(), before.logging());
    assert_eq!(after.price_class(), before.price_class());
    let viewer = |config: &DistributionConfig| {
        let viewer = config.viewer_certificate().unwrap();
        (viewer.acm_certificate_arn().map(str::to_owned), viewer.minimum_protocol_version().cloned())
    };
    assert_eq!(viewer(after), viewer(before));
    assert!(after.cache_behaviors().unwrap().items().iter().any(|one| one.path_pattern() == "/api/*"));
    let shields = after.origins().unwrap().items().iter();
    assert!(
        shields.filter(|origin| origin.id() != "S3-website").all(|origin| {
            origin.origin_shield().and_then(OriginShield::origin_shield_region) == Some("eu-central-1")
        })
    );
}

#[tokio::test]
async fn a_website_bucket_behind_a_distribution_is_imported_adopted_and_keeps_its_settings() {
    let account = Account::new().await;
    let name = "www.example.com";
    let certificate = account.certificate(name).await;
    let id = tutorial(&account, &certificate).await;
    for request in [
        ImportRequest { domain: Some(name.parse().unwrap()), ..ImportRequest::default() },
        ImportRequest { bucket: Some(name.parse().unwrap()), ..ImportRequest::default() },
        ImportRequest { distribution: Some(id.parse().unwrap()), ..ImportRequest::default() },
    ] {
        let imported = account.import(request).await;
        let zone = imported.zone.clone().unwrap();
        let wanted = [
            ("site.domain", "\"www.example.com\""),
            ("site.mode", "\"layered\""),
            ("site.tags", "{ team = \"web\" }"),
            ("primary.region", "\"eu-central-1\""),
            ("backup.region", "\"eu-west-1\""),
            ("cdn.certificate_arn", &format!("\"{certificate}\"")),
            ("cdn.price_class", "\"all\""),
            ("cdn.redirect_to_https", "true"),
            ("cdn.security_headers", "false"),
            ("cdn.minimum_tls", "\"TLSv1.2_2021\""),
            ("cdn.web_acl_arn", &format!("\"{ACL}\"")),
            ("cdn.geo_restriction", "{ deny = [\"RU\"] }"),
            ("cdn.log_bucket", "\"logs-of-us\""),
            ("cdn.log_prefix", "\"cdn/\""),
            ("cdn.origin_shield_region", "\"eu-central-1\""),
            ("dns.zone_id", &format!("\"{zone}\"")),
            ("publish.index", "\"start.html\""),
            ("publish.not_found", "\"lost.html\""),
            ("redirects", "/docs/* -> /documents/:splat (301)"),
        ];
        assert_eq!(keys(&imported), wanted);
        let told: Vec<_> = imported.not_expressed.iter().map(|one| (one.setting.as_str(), one.effect)).collect();
        assert_eq!(told, [("CacheBehavior", Effect::Kept), ("HttpVersion", Effect::Replaced)]);
        assert!(imported.bucket.as_ref().is_some_and(|bucket| bucket.adopted));
    }

    let request = ImportRequest { domain: Some(name.parse().unwrap()), ..ImportRequest::default() };
    let first = account.import(request.clone()).await;
    let stack = open(&account.cloud, &first.configuration, None).await;
    let failure = stack.plan(AdoptBuckets::Refuse).await.unwrap_err();
    assert!(failure.hints.iter().any(|hint| hint.contains("--adopt")), "{:?}", failure.hints);
    let plan = stack.plan(AdoptBuckets::Adopt).await.unwrap();
    let kept = ["WebACLId", "GeoRestriction", "Logging", "PriceClass", "ViewerCertificate", "ViewerProtocolPolicy"];
    for step in plan.summary().steps.iter().filter(|step| step.step == "cdn/distribution") {
        for change in &step.changes {
            assert!(!kept.iter().any(|part| change.property.contains(part)), "{change:?}");
        }
    }
    let before = account.read(&id).await;
    stack.apply(plan).await.unwrap();
    assert_eq!(steps(&stack).await, [""; 0]);
    let after = account.read(&id).await;
    assert_kept(&before, &after);
    // What is imported of the site that twinsite manages now is the same, but for what `apply` has replaced.
    let again = account.import(request).await;
    let differing: Vec<_> =
        keys(&again).into_iter().filter(|one| !keys(&first).contains(one)).map(|(key, _)| key).collect();
    assert_eq!(differing, ["dns.health_interval", "dns.failure_threshold", "dns.ttl"]);
    let again = open(&account.cloud, &again.configuration, None).await;
    assert_eq!(steps(&again).await, [""; 0]);
    // `destroy` keeps what was there before.
    destroyed(&stack).await;
    assert_eq!(account.read(&id).await.web_acl_id(), before.web_acl_id());
    assert!(account.cloud.world().s3().bucket(name).is_some());
}

/// The console's shape of today: a private bucket with an origin access control.
#[tokio::test]
async fn a_private_bucket_behind_an_access_control_is_imported_for_mode_origin() {
    let account = Account::new().await;
    let (name, bucket) = ("www.example.com", "our-pages");
    account.bucket(bucket, "us-east-2").await;
    let control = OriginAccessControlConfig::builder()
        .name("pages")
        .signing_protocol(OriginAccessControlSigningProtocols::Sigv4)
        .signing_behavior(OriginAccessControlSigningBehaviors::Always)
        .origin_access_control_origin_type(OriginAccessControlOriginTypes::S3)
        .build()
        .unwrap();
    let create = account.session.cloudfront().create_origin_access_control();
    let control = create.origin_access_control_config(control).send().await.unwrap().origin_access_control.unwrap().id;
    let origin = Origin::builder()
        .id("pages")
        .domain_name("our-pages.s3.us-east-2.amazonaws.com")
        .s3_origin_config(S3OriginConfig::builder().origin_access_identity("").build())
        .origin_access_control_id(control)
        .build()
        .unwrap();
    let certificate = account.certificate(name).await;
    let mut config = distribution(name, origin, &certificate);
    config.default_root_object = Some("index.html".to_owned());
    config.price_class = Some(PriceClass::PriceClass200);
    let missing = CustomErrorResponse::builder().error_code(403).response_code("200").response_page_path("/index.html");
    let missing = CustomErrorResponses::builder().quantity(1).items(missing.build().unwrap()).build().unwrap();
    config.custom_error_responses = Some(missing);
    let id = account.distribution(config, "web").await;
    account.record(name, "d111.cloudfront.net", Some(300)).await;

    let imported =
        account.import(ImportRequest { bucket: Some(bucket.parse().unwrap()), ..ImportRequest::default() }).await;
    assert_eq!(imported.distribution.as_deref(), Some(id.as_str()));
    assert_eq!(key(&imported, "site.mode"), Some("\"origin\""));
    assert_eq!(
        (key(&imported, "primary.region"), key(&imported, "backup.region")),
        (Some("\"us-east-2\""), Some("\"us-west-2\""))
    );
    assert_eq!(key(&imported, "cdn.price_class"), Some("\"200\""));
    assert_eq!(key(&imported, "dns.ttl"), Some("300"));
    assert_eq!(key(&imported, "redirects"), Some("/* -> /index.html (200)"));
    assert_eq!(key(&imported, "site.tags"), Some("{ team = \"web\" }"));
    assert!(imported.bucket.is_some_and(|bucket| !bucket.adopted));
    let stack = open(&account.cloud, &imported.configuration, None).await;
    let plan = stack.plan(AdoptBuckets::Adopt).await.unwrap();
    assert!(ids(&plan).contains(&"cdn/tags".to_owned()), "{:?}", ids(&plan));
    stack.apply(plan).await.unwrap();
    assert_eq!(steps(&stack).await, [""; 0]);
    assert_eq!(account.read(&id).await.price_class(), Some(&PriceClass::PriceClass200));
}

/// A bucket that redirects every request: `www.example.com` to `example.com`.
#[tokio::test]
async fn a_bucket_that_redirects_becomes_a_redirect_rule() {
    let account = Account::new().await;
    account.bucket("www.example.com", "us-west-2").await;
    let all = RedirectAllRequestsTo::builder().host_name("example.com").build().unwrap();
    account
        .website("www.example.com", "us-west-2", WebsiteConfiguration::builder().redirect_all_requests_to(all).build())
        .await;
    let imported = account
        .import(ImportRequest { domain: Some("www.example.com".parse().unwrap()), ..ImportRequest::default() })
        .await;
    assert_eq!(key(&imported, "redirects"), Some("/* -> https://example.com/:splat (301)"));
    assert_eq!(imported.distribution, None);
    assert_eq!(
        (key(&imported, "primary.region"), key(&imported, "backup.region")),
        (Some("\"us-east-1\""), Some("\"us-west-2\""))
    );
    let stack = open(&account.cloud, &imported.configuration, None).await;
    assert!(stack.plan(AdoptBuckets::Adopt).await.is_ok());
}

/// Text of others is text in the file, whatever it looks like.
#[tokio::test]
async fn names_of_others_are_neither_toml_nor_variables() {
    for document in
        ["lo\"st ${HOME} # x.html", "$${HOME}.html", "a\\b'c'''.html", "\"\"\".html", "] = [", "$$${x}", "[site]"]
    {
        let account = Account::new().await;
        account.bucket("www.example.com", "us-west-2").await;
        let website = WebsiteConfiguration::builder()
            .index_document(IndexDocument::builder().suffix("index.html").build().unwrap())
            .error_document(ErrorDocument::builder().key(document).build().unwrap());
        account.website("www.example.com", "us-west-2", website.build()).await;
        let request = ImportRequest { domain: Some("www.example.com".parse().unwrap()), ..ImportRequest::default() };
        let imported = account.import(request).await;
        let config = config::parse(&imported.configuration).unwrap();
        assert_eq!(config.not_found.as_deref(), Some(document), "{}", imported.configuration);
    }
}

/// The configuration file of a site was lost.
#[tokio::test]
async fn what_is_imported_of_a_site_of_ours_plans_nothing() {
    for mode in MODES {
        let account = Account::new().await;
        let own = toml(mode)
            + "replicate_back = true\nreplication_time_control = true\n[cdn]\nprice_class = \"200\"\nminimum_tls = \"TLSv1.2_2025\"\n\
               geo_restriction = { allow = [\"US\", \"DE\"] }\norigin_shield_region = \"us-east-2\"\n[dns]\nttl = 30\n\
               health_interval = 10\nfailure_threshold = 2\n[publish]\nindex = \"start.html\"\nnot_found = \"\"\n";
        let stack = open(&account.cloud, &own, None).await;
        applied(&stack).await.unwrap();
        let imported = account
            .import(ImportRequest { domain: Some("www.example.com".parse().unwrap()), ..ImportRequest::default() })
            .await;
        assert_eq!(key(&imported, "site.mode"), Some(format!("\"{mode}\"").as_str()));
        assert_eq!(imported.not_expressed.len(), 0, "{mode}: {:?}", imported.not_expressed);
        let again = open(&account.cloud, &imported.configuration, None).await;
        assert_eq!(steps(&again).await, [""; 0], "{mode}: {}", imported.configuration);
    }
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_with_a_way_on() {
    let account = Account::new().await;
    let import = async |request: ImportRequest| {
        Box::pin(site::import(&request, account.environment(), &Run::silent())).await.unwrap_err().to_string()
    };
    let nothing = import(ImportRequest::default()).await;
    assert!(nothing.contains("neither a bucket nor a distribution"), "{nothing}");
    let absent =
        import(ImportRequest { bucket: Some("nobody.example.com".parse().unwrap()), ..ImportRequest::default() }).await;
    assert!(absent.contains("`nobody.example.com` does not exist"), "{absent}");
    let absent =
        import(ImportRequest { distribution: Some("E1ABCDEFGHIJKL".parse().unwrap()), ..ImportRequest::default() })
            .await;
    assert!(absent.contains("E1ABCDEFGHIJKL does not exist"), "{absent}");
    let absent =
        import(ImportRequest { domain: Some("new.example.com".parse().unwrap()), ..ImportRequest::default() }).await;
    assert!(absent.contains("has `new.example.com` as alias"), "{absent}");
    account.bucket("our-pages", "us-west-2").await;
    let unnamed =
        import(ImportRequest { bucket: Some("our-pages".parse().unwrap()), ..ImportRequest::default() }).await;
    assert!(unnamed.contains("domain of the site cannot be told"), "{unnamed}");
}
