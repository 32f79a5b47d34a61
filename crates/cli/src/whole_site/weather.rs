//! AWS as it is: changes that become visible late, refusals that pass, throttling, deployments that take minutes. Time is skipped: the
//! clock of the embedded cloud moves on when everybody waits.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use twinsite_core::wait::PollPolicy;
use twinsite_core::{Event, Watch};
use twinsite_local::{Weather, WeatherSettings};

use super::*;

/// How many seeds each test tries, and how many with `TWINSITE_EXHAUSTIVE`. `TWINSITE_SEEDS` sets another number: a life takes about a second.
const SEEDS: u64 = 2;
const EXHAUSTIVE: u64 = 20;

#[expect(clippy::disallowed_methods, reason = "tests have no configuration but the environment")]
pub(super) fn seeds() -> impl Iterator<Item = u64> {
    let set = std::env::var("TWINSITE_SEEDS").ok().and_then(|number| number.parse().ok());
    0..set.unwrap_or(if is_exhaustive() { EXHAUSTIVE } else { SEEDS })
}

/// What a run waits for, by what it says.
#[derive(Debug, Default)]
pub(super) struct Waits(pub(super) Mutex<BTreeMap<String, Duration>>);

impl Watch for Waits {
    fn event(&self, event: &Event) {
        if let Event::Waiting { what, since, .. } = event {
            self.0.lock().unwrap().insert(what.clone(), *since);
        }
    }
}

/// A cloud whose waiting takes no time.
pub(super) fn cloud_without_waiting() -> Cloud {
    let cloud = Cloud::memory();
    cloud.world().clock().skip_waiting();
    cloud
}

pub(super) async fn open_in_weather(cloud: &Cloud, text: &str) -> TestSite {
    let access = Access {
        embedded: Some(cloud.http_client()),
        sleep: Some(cloud.world().clock().sdk_sleep()),
        ..Access::default()
    };
    let polling = PollPolicy { total: Duration::from_hours(1), ..PollPolicy::MINUTES };
    open_in(Environment { access, polling, network: Network::Unavailable, outages: None }, text).await
}

pub(super) fn run(cloud: &Cloud, waits: &Arc<Waits>) -> Run {
    Run::new(Arc::<Waits>::clone(waits)).with_timer(Arc::new(cloud.world().clock().clone()))
}

/// One site's life in one weather. Every operation is one command, and the account is at last what it was at first.
async fn lives(modes: [Mode; 2], settings: WeatherSettings) -> Arc<Waits> {
    let [first, then] = modes;
    let context = format!("{first} then {then}, {} {}", settings.weather, settings.seed);
    let (cloud, waits) = (cloud_without_waiting(), Arc::<Waits>::default());
    let stack = open_in_weather(&cloud, &full(first)).await;
    let before = cloud.world().dump();
    cloud.world().set_weather(settings).unwrap();
    let run = run(&cloud, &waits);
    for (mode, stack) in [(first, stack), (then, open_in_weather(&cloud, &full(then)).await)] {
        let plan = site::plan(&stack.context, AdoptBuckets::Refuse, &run).await.unwrap();
        let applied = Box::pin(site::apply(&stack.context, plan, &run)).await;
        applied.unwrap_or_else(|error| panic!("{context}: apply in mode {mode}: {error}"));
        let again = site::plan(&stack.context, AdoptBuckets::Refuse, &run).await.unwrap();
        assert_eq!(ids(&again), [""; 0], "{context}: after apply in mode {mode}");
    }
    let stack = open_in_weather(&cloud, &full(then)).await;
    let plan = site::plan_destroy(&stack.context).await.unwrap();
    let destroyed = site::destroy(&stack.context, plan, &run).await;
    destroyed.unwrap_or_else(|error| panic!("{context}: destroy: {error}"));
    assert_eq!(cloud.world().dump(), before, "{context}");
    waits
}

async fn all_lives(modes: [Mode; 2]) {
    for seed in seeds() {
        for weather in [Weather::Aws, Weather::Storm] {
            let waits = Box::pin(lives(modes, WeatherSettings { weather, seed })).await;
            let waits = waits.0.lock().unwrap();
            assert!(waits.keys().any(|what| what.contains("deployed")), "{waits:?}");
        }
    }
}

#[tokio::test]
async fn a_site_in_mode_dns_lives_through_every_weather() {
    all_lives([Mode::Dns, Mode::Origin]).await;
}

#[tokio::test]
async fn a_site_in_mode_origin_lives_through_every_weather() {
    all_lives([Mode::Origin, Mode::Layered]).await;
}

#[tokio::test]
async fn a_site_in_mode_layered_lives_through_every_weather() {
    all_lives([Mode::Layered, Mode::Dns]).await;
}

/// Changes the configuration of the only distribution behind our back.
fn change_distribution(cloud: &Cloud, change: impl FnOnce(&mut twinsite_local::cloudfront::Distribution)) {
    let mut change = Some(change);
    let changed = cloud.world().change_account(|account, _| {
        let arn = account.cloudfront.distributions().next().unwrap().arn();
        change.take().unwrap()(account.cloudfront.distribution_by_arn(&arn)?);
        Ok(())
    });
    changed.unwrap();
}

#[tokio::test]
async fn a_distribution_is_found_again_and_repaired_by_whichever_mark_is_left() {
    for mode in MODES {
        let cloud = cloud();
        let stack = open(&cloud, &full(mode), None).await;
        let before = cloud.world().dump();
        applied(&stack).await.unwrap();
        let found =
            async || stack.services.cdn.find_distribution(&twinsite_cdn::Desired::new(stack.site.clone())).await;
        let id = found().await.unwrap();
        assert!(id.is_some());
        // Edited in the console: deploys still find it, and the next apply puts the comment back.
        change_distribution(&cloud, |distribution| {
            let comment = distribution.config.children.iter_mut().find(|child| child.name == "Comment").unwrap();
            comment.text = "our blog".to_owned();
        });
        assert_eq!(found().await.unwrap(), id, "{mode}: comment");
        assert_eq!(steps(&stack).await, ["cdn/distribution", "cdn/deployed"], "{mode}: comment");
        applied(&stack).await.unwrap();
        assert_eq!(steps(&stack).await, [""; 0]);
        // Replaced by cost tags.
        change_distribution(&cloud, |distribution| {
            distribution.tags = [("cost-center".to_owned(), "7".to_owned())].into();
        });
        assert_eq!(found().await.unwrap(), id, "{mode}: tags");
        assert_eq!(steps(&stack).await, ["cdn/tags"], "{mode}: tags");
        applied(&stack).await.unwrap();
        assert_eq!(steps(&stack).await, [""; 0]);
        // Both, before it is destroyed.
        change_distribution(&cloud, |distribution| {
            distribution.tags.clear();
            let comment = distribution.config.children.iter_mut().find(|child| child.name == "Comment").unwrap();
            comment.text.clear();
        });
        destroyed(&stack).await;
        assert_eq!(cloud.world().dump(), before, "{mode}");
        // Its caller reference is used up.
        applied(&stack).await.unwrap();
        assert_eq!(steps(&stack).await, [""; 0], "{mode}: again");
    }
}

#[tokio::test]
async fn a_distribution_of_others_with_our_alias_is_a_conflict_whatever_its_comment() {
    let cloud = cloud();
    let stack = open(&cloud, &toml(Mode::Origin), None).await;
    applied(&stack).await.unwrap();
    change_distribution(&cloud, |distribution| {
        distribution.tags.clear();
        let reference = distribution.config.children.iter_mut().find(|child| child.name == "CallerReference").unwrap();
        reference.text = "terraform-20261128".to_owned();
    });
    let failure = stack.plan(AdoptBuckets::Refuse).await.unwrap_err();
    assert!(failure.cause.to_string().contains("does not belong to this site"), "{failure}");
}

/// Puts a record of a type at a name of the zone.
async fn put_record(stack: &TestSite, name: &str, r#type: &str, value: &str) {
    use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
    let route53 = stack.session.route53();
    let zone = route53.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0).id;
    let record = ResourceRecord::builder().value(value).build().unwrap();
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::from(r#type)).ttl(300).resource_records(record);
    let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(set.build().unwrap()).build();
    let batch = ChangeBatch::builder().changes(change.unwrap()).build().unwrap();
    route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
}

#[tokio::test]
async fn a_name_that_the_zone_delegates_is_a_conflict_before_anything_is_created() {
    for (domain, delegated) in [("www.example.com", "www.example.com"), ("a.b.example.com", "b.example.com")] {
        for mode in MODES {
            let cloud = cloud();
            let text = full(mode).replace("www.example.com", domain);
            let zone = open(&cloud, &full(mode), None).await;
            put_record(&zone, delegated, "NS", "ns1.example.net.").await;
            let stack = open(&cloud, &text, None).await;
            let before = cloud.world().dump();
            let failure = stack.plan(AdoptBuckets::Refuse).await.unwrap_err();
            assert!(failure.cause.to_string().contains(&format!("delegates `{delegated}`")), "{failure}");
            assert!(failure.hints.iter().any(|hint| hint.contains("dns.zone_id")), "{:?}", failure.hints);
            assert_eq!(cloud.world().dump(), before);
        }
    }
}

/// The warnings of a plan.
#[derive(Debug, Default)]
struct Warnings(Mutex<Vec<String>>);

impl Watch for Warnings {
    fn event(&self, event: &Event) {
        if let Event::Warning { text, .. } = event {
            self.0.lock().unwrap().push(text.clone());
        }
    }
}

async fn warnings(stack: &TestSite) -> String {
    let warnings = Arc::<Warnings>::default();
    site::plan(&stack.context, AdoptBuckets::Refuse, &Run::new(Arc::<Warnings>::clone(&warnings))).await.unwrap();
    let all = warnings.0.lock().unwrap();
    all.join("\n")
}

#[tokio::test]
async fn what_others_have_set_and_keeps_visitors_from_the_site_is_named() {
    let cloud = cloud();
    let stack = open(&cloud, &toml(Mode::Layered), None).await;
    applied(&stack).await.unwrap();
    assert_eq!(warnings(&stack).await, "");
    cloud
        .world()
        .s3()
        .update_bucket("www.example.com", |settings| {
            let policy: serde_json::Value = serde_json::from_str(settings.policy.as_deref().unwrap()).unwrap();
            let mut policy = policy;
            policy["Statement"].as_array_mut().unwrap().push(serde_json::json!({
                "Sid": "AllowSSLRequestsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }));
            settings.policy = Some(policy.to_string());
        })
        .unwrap();
    let website = "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument><ErrorDocument><Key>404.html\
                   </Key></ErrorDocument><RoutingRules><RoutingRule><Redirect><HostName>example.net</HostName></Redirect>\
                   </RoutingRule></RoutingRules></WebsiteConfiguration>";
    let changed = cloud.world().s3().update_bucket("www.example.com", |settings| {
        settings.docs.insert(twinsite_local::s3::Doc::Website, website.to_owned());
    });
    changed.unwrap();
    let said = warnings(&stack).await;
    assert!(
        said.contains("AllowSSLRequestsOnly") && said.contains("a RoutingRule without a condition, to example.net"),
        "{said}"
    );
}

#[tokio::test]
async fn a_mode_without_https_at_the_standby_is_warned_of_where_browsers_insist_on_it() {
    let marked = cloud();
    applied(&open(&marked, &toml(Mode::Origin), None).await).await.unwrap();
    let stack = open(&marked, &toml(Mode::Origin), None).await;
    put_record(&stack, "www.example.com", "HTTPS", "1 .").await;
    let said = warnings(&stack).await;
    assert!(said.contains("record of type HTTPS"), "{said}");
    let text = toml(Mode::Layered);
    let dev = open(&cloud(), &text.replace("www.example.com", "www.example.dev"), None).await;
    let failure = dev.plan(AdoptBuckets::Refuse).await.unwrap_err();
    assert!(failure.cause.to_string().contains("HSTS preload list"), "{failure}");
    let moved = cloud();
    applied(&open(&moved, &toml(Mode::Origin), None).await).await.unwrap();
    let said = warnings(&open(&moved, &text, None).await).await;
    assert!(said.contains("insist on HTTPS for a year"), "{said}");
}

#[tokio::test]
async fn refusals_for_good_are_told_at_once() {
    let cloud = cloud();
    let stack = open(&cloud, &full(Mode::Layered), None).await;
    let clock = cloud.world().clock().clone();
    clock.skip_waiting();
    cloud.inject_faults(|seen| match seen.operation.as_str() {
        "PutBucketReplication" => InjectedFault::Error { status: 400, code: "InvalidTag" },
        _ => InjectedFault::None,
    });
    let started = clock.now();
    let failure = applied(&stack).await.unwrap_err();
    assert!(failure.cause.to_string().contains("InvalidTag"), "{failure}");
    assert!(clock.now().duration_since(started).unwrap() < Duration::from_secs(10));
}
