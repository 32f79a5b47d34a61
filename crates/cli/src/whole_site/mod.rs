//! The whole site on the embedded cloud: made, changed, stopped anywhere, and taken away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use twinsite_local::{ACCOUNT, Delays};
use twinsite_local::{Cloud, InjectedFault};
use twinsite_site::{
    self as site, Access, AdoptBuckets, ApplyResult, Environment, Error, Mode, Network, Run, Services, Session, Site,
    SiteContext, SitePlan,
};

use twinsite_aws::retries;

use crate::config;

mod drift;
mod drill;
mod import;
mod others;
mod plane;
mod probe_object;
mod publishing_weather;
mod trouble;
mod weather;

const MODES: [Mode; 3] = [Mode::Dns, Mode::Origin, Mode::Layered];

fn toml(mode: Mode) -> String {
    let regions = "[primary]\nregion = \"us-east-1\"\n[backup]\nregion = \"us-west-2\"\n";
    format!("[site]\ndomain = \"www.example.com\"\nmode = \"{mode}\"\n{regions}")
}

/// The same, with everything that can be had.
fn full(mode: Mode) -> String {
    toml(mode) + "replicate_back = true\n[alerts]\nemail = [\"ops@example.com\"]\n"
}

fn cloud() -> Cloud {
    let cloud = Cloud::memory();
    cloud.world().set_delays(Delays::NONE);
    cloud
}

/// A site in the embedded cloud, and the parts that tests look into.
struct TestSite {
    context: SiteContext,
    services: Services,
    site: Site,
    session: Session,
    run: Run,
}

/// Opens a site. Each call is attempted once if `attempts` says so, else as often as the command does.
async fn open(cloud: &Cloud, text: &str, attempts: Option<u32>) -> TestSite {
    open_with(cloud, text, attempts, Network::Unavailable).await
}

async fn open_with(cloud: &Cloud, text: &str, attempts: Option<u32>, network: Network) -> TestSite {
    let access = Access {
        embedded: Some(cloud.http_client()),
        sleep: Some(cloud.world().clock().sdk_sleep()),
        retry: attempts.map(|attempts| retries().with_max_attempts(attempts)),
        ..Access::default()
    };
    let run = Run::silent().with_timer(Arc::new(cloud.world().clock().clone()));
    TestSite {
        run,
        ..open_in(Environment { access, polling: crate::local::POLLING, network, outages: None }, text).await
    }
}

async fn open_in(environment: Environment, text: &str) -> TestSite {
    let session = Session::open(environment.access.clone()).await.unwrap();
    let config = config::parse(text).unwrap();
    crate::local::hosted_zone(&session.route53(), &config).await.unwrap();
    let context = SiteContext::with_session(config, session.clone(), ACCOUNT.parse().unwrap(), environment).unwrap();
    let (services, site) = (context.services().clone(), context.site().clone());
    TestSite { context, services, site, session, run: Run::silent() }
}

impl TestSite {
    async fn plan(&self, adopt: AdoptBuckets) -> Result<SitePlan, Error> {
        site::plan(&self.context, adopt, &self.run).await
    }

    async fn apply(&self, plan: SitePlan) -> Result<ApplyResult, Error> {
        Box::pin(site::apply(&self.context, plan, &self.run)).await
    }
}

fn ids(plan: &SitePlan) -> Vec<String> {
    plan.waves().iter().flatten().map(|step| step.id.to_string()).collect()
}

async fn steps(stack: &TestSite) -> Vec<String> {
    ids(&stack.plan(AdoptBuckets::Refuse).await.unwrap())
}

async fn applied(stack: &TestSite) -> Result<ApplyResult, Error> {
    stack.apply(stack.plan(AdoptBuckets::Refuse).await.unwrap()).await
}

async fn destroyed(stack: &TestSite) {
    let plan = site::plan_destroy(&stack.context).await.unwrap();
    site::destroy(&stack.context, plan, &stack.run).await.unwrap();
}

#[tokio::test]
async fn in_every_mode_a_second_plan_is_empty_and_destroy_leaves_the_account_as_it_was() {
    for mode in MODES {
        let cloud = cloud();
        let stack = open(&cloud, &full(mode), None).await;
        let before = cloud.world().dump();
        applied(&stack).await.unwrap();
        assert_eq!(steps(&stack).await, [""; 0], "{mode}");
        assert_ne!(cloud.world().dump(), before);
        destroyed(&stack).await;
        assert_eq!(cloud.world().dump(), before, "{mode}");
    }
}

#[tokio::test]
async fn each_field_of_the_configuration_changes_exactly_what_it_says() {
    let cases: [(&str, &str, &[&str]); 14] = [
        (
            "[publish]\nnot_found = \"lost.html\"",
            "layered",
            &["backup/website", "primary/website", "cdn/distribution", "cdn/deployed"],
        ),
        ("[publish]\nkeep_releases = 3\nkeep_days = 9", "layered", &[]),
        ("[cdn]\nprice_class = \"all\"", "dns", &["cdn/distribution", "cdn/deployed"]),
        (
            "[cdn]\nminimum_tls = \"TLSv1.2_2025\"\norigin_shield_region = \"us-east-2\"",
            "layered",
            &["cdn/distribution", "cdn/deployed"],
        ),
        ("[cdn]\ngeo_restriction = { deny = [\"RU\", \"BY\"] }", "origin", &["cdn/distribution", "cdn/deployed"]),
        (
            "[cdn]\nweb_acl_arn = \"arn:aws:wafv2:us-east-1:000000000000:global/webacl/w/1\"",
            "dns",
            &["cdn/distribution", "cdn/deployed"],
        ),
        // There is nothing to remove.
        ("[cdn]\nweb_acl_arn = \"none\"\ngeo_restriction = \"none\"\nlog_bucket = \"none\"", "layered", &[]),
        ("[cdn]\nsecurity_headers = false", "origin", &["cdn/distribution", "cdn/deployed"]),
        ("[publish]\nindex = \"start.html\"", "origin", &["cdn/function", "cdn/distribution", "cdn/deployed"]),
        ("[dns]\nttl = 30", "layered", &["dns/records"]),
        ("[dns]\nfailure_threshold = 2", "origin", &["health/backup", "health/edge", "health/primary"]),
        ("[cdn]\nredirect_to_https = true\naccept_http_standby = true", "dns", &["cdn/distribution", "cdn/deployed"]),
        (
            "[alerts]\nemail = [\"ops@example.com\"]",
            "dns",
            &[
                "notice/us-east-1/topic",
                "notice/us-west-2/topic",
                "notice/us-east-1/alarm/twinsite-www-example-com-certificate-expires",
                "notice/us-east-1/alarm/twinsite-www-example-com-replication-failed",
                "notice/us-east-1/alarm/twinsite-www-example-com-unhealthy-backup",
                "notice/us-east-1/alarm/twinsite-www-example-com-unhealthy-primary",
                "notice/us-east-1/alarm/twinsite-www-example-com-unhealthy-serving",
                "notice/us-east-1/email/ops@example.com",
                "notice/us-west-2/alarm/twinsite-www-example-com-replication-late",
                "notice/us-west-2/email/ops@example.com",
            ],
        ),
        ("", "layered", &[]),
    ];
    for (wish, mode, wanted) in cases {
        let (cloud, text) = (cloud(), toml(mode.parse().unwrap()));
        applied(&open(&cloud, &text, None).await).await.unwrap();
        let changed = open(&cloud, &format!("{text}{wish}\n"), None).await;
        assert_eq!(steps(&changed).await, wanted, "{wish}");
        applied(&changed).await.unwrap();
        assert_eq!(steps(&changed).await, [""; 0], "{wish}");
    }
}

#[tokio::test]
async fn a_site_moves_from_any_mode_to_any_other_and_nobody_is_locked_out_on_the_way() {
    for from in MODES {
        for to in MODES {
            let cloud = cloud();
            applied(&open(&cloud, &toml(from), None).await).await.unwrap();
            let after = open(&cloud, &toml(to), None).await;
            let plan = after.plan(AdoptBuckets::Refuse).await.unwrap();
            let wave = |id: &str| plan.waves().iter().position(|wave| wave.iter().any(|step| step.id.as_str() == id));
            if let (Some(front), Some(policy)) = (wave("cdn/deployed"), wave("primary/policy")) {
                assert_eq!(front < policy, to == Mode::Origin, "{from} to {to}");
            }
            applied(&after).await.unwrap();
            assert_eq!(steps(&after).await, [""; 0], "{from} to {to}");
        }
    }
}

/// The request number `k` and all behind it fail, or only lose their answers.
fn trouble_from(cloud: &Cloud, k: usize, trouble: InjectedFault) {
    let seen = AtomicUsize::new(0);
    cloud.inject_faults(move |_| if seen.fetch_add(1, Ordering::Relaxed) >= k { trouble } else { InjectedFault::None });
}

/// Whether nothing is left out, as every night.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration but the environment")]
fn is_exhaustive() -> bool {
    std::env::var_os("TWINSITE_EXHAUSTIVE").is_some()
}

/// Which of many cases are tried: each one in an exhaustive run, otherwise one of `share`, from an offset that differs from run to run.
fn sampled(share: usize) -> impl Iterator<Item = usize> {
    let (first, step) = if is_exhaustive() { (0, 1) } else { (std::process::id() as usize % share, share) };
    (first..).step_by(step)
}

async fn converges(mode: Mode, trouble: InjectedFault) {
    let text = full(mode);
    for k in sampled(4) {
        let cloud = cloud();
        let hurried = open(&cloud, &text, Some(1)).await;
        let before = cloud.world().dump();
        let plan = hurried.plan(AdoptBuckets::Refuse).await.unwrap();
        trouble_from(&cloud, k, trouble);
        let first = hurried.apply(plan).await;
        cloud.inject_faults(|_| InjectedFault::None);
        let stack = open(&cloud, &text, None).await;
        if stack.plan(AdoptBuckets::Refuse).await.is_err() {
            // Killed between creating a bucket and tagging it: said, and mended by --adopt.
            let plan = stack.plan(AdoptBuckets::Adopt).await.unwrap();
            stack.apply(plan).await.unwrap();
            assert_eq!(steps(&stack).await, [""; 0], "{mode}: after {k}");
            continue;
        }
        applied(&stack).await.unwrap();
        assert_eq!(steps(&stack).await, [""; 0], "{mode}: after {k}");
        destroyed(&stack).await;
        assert_eq!(cloud.world().dump(), before, "{mode}: after {k}, something was made twice");
        if first.is_ok() {
            return;
        }
    }
}

#[tokio::test]
async fn stopped_after_any_call_the_next_apply_finishes_and_nothing_is_made_twice() {
    for mode in MODES {
        Box::pin(converges(mode, InjectedFault::Refuse)).await;
    }
}

#[tokio::test]
async fn a_lost_reply_to_any_call_is_made_good() {
    for mode in MODES {
        Box::pin(converges(mode, InjectedFault::LoseReply)).await;
    }
}
