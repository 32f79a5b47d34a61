//! Every role that `iam-policy` prints runs the commands that it is for, in every mode, and no other command that changes anything.
//! The embedded cloud enforces the policies.

mod prefix;
mod standby;

use std::path::Path;
use std::time::Duration;

use twinsite_aws_session::{Access, Credentials, RetryConfig, Session};
use twinsite_cdn::PriceClass;
use twinsite_local::s3::Current;
use twinsite_local::{ACCOUNT, Cloud, Delays, Outages};
use twinsite_s3_site::BucketOutage;
use twinsite_site::drill::{history, restore};
use twinsite_site::{
    AdoptBuckets, BackfillRequest, CertificateFiles, CheckName, CheckResult, Config, DeployRequest, DeployResult,
    DoctorRequest, Engine, Environment, Error, Event, FailbackChecks, FailbackRequest, FailoverBy, Guard,
    InvalidationResult, Mode, Network, Pair, PolicyKind, PublishOptions, RollbackRequest, Run, SiteContext,
    SourceDirectory, Standby, StatusRequest, Watch, apply, backfill, deploy, destroy, doctor, failback, failover,
    import_certificate, plan, plan_backfill, plan_destroy, policy, releases, rollback, status, verify,
};

use crate::site::{OPTIONS as HURRIED, POLLING};
use crate::write;

/// No lock expires: several of these tests run at a time.
const OPTIONS: PublishOptions = PublishOptions { lock_ttl: Duration::from_mins(1), ..HURRIED };

const MODES: [Mode; 3] = [Mode::Dns, Mode::Origin, Mode::Layered];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Plan,
    Status,
    Doctor,
    Verify,
    Releases,
    Deploy,
    Rollback,
    Backfill,
    BackfillByJob,
    Apply,
    ImportCertificate,
    Destroy,
    Failover(FailoverBy),
    Failback(FailoverBy),
    /// The primary's region is out: to the backup alone.
    DeployInOutage,
    /// After such a deploy.
    FailbackAfterOutage,
    Drill(BucketOutage),
    /// Reads their records.
    Drills,
}

impl Command {
    /// Whether a role is for the command.
    fn is_for(self, role: PolicyKind) -> bool {
        match self {
            Self::Plan | Self::Status | Self::Doctor => role != PolicyKind::Publisher,
            Self::Verify | Self::Releases | Self::Drills => true,
            Self::Deploy | Self::Rollback | Self::Backfill | Self::DeployInOutage => role != PolicyKind::Reader,
            Self::BackfillByJob | Self::Apply | Self::ImportCertificate | Self::Destroy => role == PolicyKind::Applier,
            Self::Failover(_) | Self::Failback(_) | Self::Drill(_) | Self::FailbackAfterOutage => {
                role == PolicyKind::Operator
            }
        }
    }

    fn exists_in(self, mode: Mode) -> bool {
        match self {
            Self::Failover(FailoverBy::Dns) | Self::Failback(FailoverBy::Dns) => mode == Mode::Layered,
            Self::Drill(outage) => outage.is_effective_in(mode),
            _ => true,
        }
    }
}

/// In this order: the last one leaves nothing.
const COMMANDS: [Command; 23] = [
    Command::Plan,
    Command::Status,
    Command::Doctor,
    Command::Verify,
    Command::Releases,
    Command::Deploy,
    Command::Rollback,
    Command::Backfill,
    Command::BackfillByJob,
    Command::Apply,
    Command::ImportCertificate,
    Command::Failover(FailoverBy::Mode),
    Command::Failback(FailoverBy::Mode),
    Command::Failover(FailoverBy::Dns),
    Command::Failback(FailoverBy::Dns),
    Command::DeployInOutage,
    Command::FailbackAfterOutage,
    Command::Drill(BucketOutage::Website),
    Command::Drill(BucketOutage::Policy),
    Command::Drill(BucketOutage::Switch),
    Command::Drill(BucketOutage::Replication),
    Command::Drills,
    Command::Destroy,
];

/// An embedded cloud with a hosted zone, and a directory to publish.
struct Account {
    cloud: Cloud,
    dir: tempfile::TempDir,
    mode: Mode,
    standby: Option<Standby>,
}

impl Account {
    async fn new(mode: Mode) -> Self {
        let cloud = Cloud::memory();
        record(&cloud);
        cloud.world().set_delays(Delays::NONE);
        let account = Self { cloud, dir: tempfile::tempdir().unwrap(), mode, standby: None };
        let route53 = account.administrator().await.route53();
        for zone in ["example.com", "example.org"] {
            route53.create_hosted_zone().name(zone).caller_reference(zone).send().await.unwrap();
        }
        account
    }

    fn access(&self, embedded_credentials: Option<Credentials>) -> Access {
        let retry = Some(RetryConfig::standard().with_max_attempts(1));
        Access { embedded: Some(self.cloud.http_client()), embedded_credentials, retry, ..Access::default() }
    }

    async fn administrator(&self) -> Session {
        Session::open(self.access(None)).await.unwrap()
    }

    fn config(&self) -> Config {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let mut config = Config::new("www.example.com".parse().unwrap(), regions);
        config.mode = self.mode;
        config.aliases = vec!["example.com".parse().unwrap(), "www.example.org".parse().unwrap()];
        config.standby = self.standby;
        config.publish.guard = Guard::OFF;
        config.replicate_back = true;
        config.emails = vec!["ops@example.com".to_owned()];
        config
    }

    /// A session of a new role to which every document is attached that `iam-policy` prints.
    async fn role(&self, kind: PolicyKind, number: usize) -> Access {
        self.role_of(&self.config(), kind, number).await
    }

    /// The same for another configuration.
    async fn role_of(&self, config: &Config, kind: PolicyKind, number: usize) -> Access {
        let administrator = self.administrator().await;
        let (iam, name) = (administrator.iam(), format!("{kind:?}-{number}"));
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        iam.create_role().role_name(&name).assume_role_policy_document(trust).send().await.unwrap();
        for document in policy(config, ACCOUNT.parse().unwrap(), kind).unwrap() {
            let name_of_policy = format!("{}-{number}", document.name);
            let create = iam.create_policy().policy_name(name_of_policy).policy_document(document.document.to_string());
            let arn = create.send().await.unwrap().policy.unwrap().arn.unwrap();
            iam.attach_role_policy().role_name(&name).policy_arn(arn).send().await.unwrap();
        }
        let sts = administrator.sts(&"us-east-1".parse().unwrap());
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
        let assumed =
            sts.assume_role().role_arn(arn).role_session_name("ci").send().await.unwrap().credentials.unwrap();
        let (key, secret, token) = (assumed.access_key_id, assumed.secret_access_key, assumed.session_token);
        self.access(Some(Credentials::new(key, secret, Some(token), None, "test")))
    }

    async fn context(&self, access: &Access, config: Config) -> SiteContext {
        let environment = environment(access);
        let session = Session::open(access.clone()).await.unwrap();
        SiteContext::with_session(config, session, ACCOUNT.parse().unwrap(), environment).unwrap()
    }

    /// Everything but the roles and the sessions of this test.
    fn state(&self) -> (serde_json::Value, Vec<String>) {
        let mut dump = self.cloud.world().dump();
        for transient in ["sessions", "roles", "managed"] {
            dump["account"]["iam"].as_object_mut().unwrap().remove(transient);
        }
        let buckets = self.cloud.world().s3().buckets(ACCOUNT);
        let keys = [
            "index.html",
            ".well-known/twinsite/stop.txt",
            ".twinsite/drill.json",
            ".twinsite/lock",
            ".twinsite/key-value-store.json",
        ];
        let objects = buckets.iter().flat_map(|bucket| {
            keys.iter()
                .map(|key| format!("{}/{key} {:?}", bucket.name, self.cloud.world().s3().current(&bucket.name, key)))
        });
        (dump, objects.collect())
    }

    /// Fails if a part could not be read.
    async fn status(&self, access: &Access) -> Result<(), Error> {
        let request = StatusRequest::default();
        let status = Box::pin(status(&self.config(), &environment(access), request, &Run::silent())).await?;
        match status.unread().first() {
            None if status.pending_steps.is_known() => Ok(()),
            None => Err(Error::refused("read the status", format!("{:?}", status.pending_steps))),
            Some(unread) => {
                let class = if unread.action.is_some() { "AccessDenied" } else { "unread" };
                Err(Error::refused("read the status", format!("{class}: {unread:?}")))
            }
        }
    }

    /// Fails if a permission is missing.
    async fn doctor(&self, access: &Access) -> Result<(), Error> {
        let request = DoctorRequest::new("twinsite.toml", "index");
        let checked = Box::pin(doctor(&self.config(), &environment(access), &request, &Run::silent())).await?;
        let denied = checked.checks.iter().find(|check| check.check == CheckName::Permissions);
        match denied.filter(|check| check.result != CheckResult::Ok) {
            None => Ok(()),
            Some(check) => Err(Error::refused("check the site", format!("AccessDenied: {}", check.text))),
        }
    }

    async fn run(&self, access: &Access, command: Command) -> Result<(), Error> {
        let (run, site) = (Run::silent(), self.context(access, self.config()).await);
        match command {
            Command::Plan => plan(&site, AdoptBuckets::Refuse, &run).await.map(drop),
            Command::Status => self.status(access).await,
            Command::Doctor => self.doctor(access).await,
            Command::Verify => verify(&site, None, &run).await.map(drop),
            Command::Releases => releases(&site, &run).await.map(drop),
            Command::Deploy => self.deploy(&site).await,
            Command::Rollback => {
                let request = RollbackRequest { options: OPTIONS, ..RollbackRequest::default() };
                Box::pin(rollback(&site, &request, &run)).await.map(drop)
            }
            Command::Backfill => self.backfill(&site, Engine::Copy).await,
            Command::BackfillByJob => self.backfill(&site, Engine::Batch).await,
            Command::Apply => {
                // What needs most of the distribution, and is changed back.
                let mut config = self.config();
                config.cdn.price_class = PriceClass::All;
                apply_all(&self.context(access, config).await).await?;
                apply_all(&site).await
            }
            Command::ImportCertificate => {
                let pem = b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_vec();
                let files = CertificateFiles { certificate: pem.clone(), chain: None, private_key: pem };
                // ACM takes no such certificate, but does not say that to those who may not import any.
                match import_certificate(&site, files).await {
                    Err(error) if !is_denied(&error) => Ok(()),
                    other => other.map(drop),
                }
            }
            Command::Destroy => {
                let plan = plan_destroy(&site).await?;
                Box::pin(destroy(&site, plan, &run)).await.map(drop)
            }
            Command::Failover(by) => {
                let environment = Environment {
                    access: access.clone(),
                    polling: POLLING,
                    network: Network::Unavailable,
                    outages: None,
                };
                Box::pin(failover(&self.config(), environment, by, &run)).await.map(drop)
            }
            Command::Failback(by) => {
                let request = FailbackRequest { by, checks: FailbackChecks::Skip, percent: None };
                Box::pin(failback(&site, request, &run)).await.map(drop)
            }
            Command::DeployInOutage => {
                let done = self.deploy_in_outage(&site).await;
                let administrator = self.context(&self.access(None), self.config()).await;
                self.fail_back(&administrator).await?;
                done
            }
            Command::FailbackAfterOutage => {
                let administrator = self.context(&self.access(None), self.config()).await;
                self.deploy_in_outage(&administrator).await?;
                let done = self.fail_back(&site).await;
                self.fail_back(&administrator).await?;
                done
            }
            Command::Drill(outage) => {
                self.status(access).await?;
                drill(&site, outage).await
            }
            Command::Drills => match history(&site).await?.drills.len() {
                0 => Err(Error::refused("read the drills", "there is none")),
                _ => Ok(()),
            },
        }
    }

    async fn deploy(&self, site: &SiteContext) -> Result<(), Error> {
        let number = fastrand::u64(..);
        write(self.dir.path(), "index.html", &format!("<title>{number}</title>"));
        write(self.dir.path(), &format!("page-{number}.html"), "page");
        write(self.dir.path(), "_redirects", &format!("/old-{number} /\n/docs/* /manual-{number}/:splat\n"));
        std::fs::write(self.dir.path().join("movie.mp4"), vec![b'm'; 9 << 20]).unwrap();
        publish(site, self.dir.path()).await?;
        // Deletes, and collects the releases that are beyond the limit.
        std::fs::remove_file(self.dir.path().join(format!("page-{number}.html"))).unwrap();
        publish(site, self.dir.path()).await
    }

    /// Publishes to the backup alone.
    async fn deploy_in_outage(&self, site: &SiteContext) -> Result<(), Error> {
        let outage = Outages { regions_out: ["us-east-1".to_owned()].into(), ..Outages::default() };
        self.cloud.world().set_outages(outage);
        write(self.dir.path(), "index.html", &format!("<title>{}</title>", fastrand::u64(..)));
        let done = publish(site, self.dir.path()).await;
        self.cloud.world().set_outages(Outages::default());
        done
    }

    async fn fail_back(&self, site: &SiteContext) -> Result<(), Error> {
        let request = FailbackRequest { by: FailoverBy::Mode, checks: FailbackChecks::Skip, percent: None };
        Box::pin(failback(site, request, &Run::silent())).await.map(drop)
    }

    /// After an object of the backup was deleted for good, which is not replicated.
    async fn backfill(&self, site: &SiteContext, engine: Engine) -> Result<(), Error> {
        let s3 = self.administrator().await.s3(&"us-west-2".parse().unwrap());
        let bucket = site.site().buckets.backup.as_str();
        // An older version may have the same bytes.
        while let Ok(Current::Object(version)) = self.cloud.world().s3().current(bucket, "index.html") {
            s3.delete_object().bucket(bucket).key("index.html").version_id(&version.id).send().await.unwrap();
        }
        let lock = BackfillRequest::default();
        let request =
            BackfillRequest { engine, lock_timeout: OPTIONS.lock_timeout, lock_ttl: OPTIONS.lock_ttl, ..lock };
        let planned = Box::pin(plan_backfill(site, request, &Run::silent())).await?;
        Box::pin(backfill(site, planned, &Run::silent())).await.map(drop)
    }
}

/// Records every request for `cargo xtask conformance botocore`, which names a directory.
#[expect(clippy::disallowed_methods, reason = "the task says so in the environment")]
fn record(cloud: &Cloud) {
    if let Some(dir) = std::env::var_os("TWINSITE_RECORD_REQUESTS") {
        let name = format!("{}-{:x}.jsonl", std::process::id(), fastrand::u64(..));
        cloud.record(&Path::new(&dir).join(name)).unwrap();
    }
}

async fn apply_all(site: &SiteContext) -> Result<(), Error> {
    let planned = plan(site, AdoptBuckets::Refuse, &Run::silent()).await?;
    Box::pin(apply(site, planned, &Run::silent())).await.map(drop)
}

async fn publish(site: &SiteContext, dir: &Path) -> Result<(), Error> {
    let source = SourceDirectory::read(site.config(), dir, None, None).await?;
    let request = DeployRequest { options: OPTIONS, ..DeployRequest::default() };
    let deployed = Box::pin(deploy(site, source, &request, &Run::silent())).await?;
    // The redirect table and invalidations that are denied are left for the next deploy.
    if let DeployResult::Published(result) = deployed
        && let InvalidationResult::Pending { error } = result.invalidation
    {
        assert!(!error.contains("AccessDenied") && !error.contains("not authorized"), "{error}");
    }
    Ok(())
}

/// The requests of a drill: those of its preflight, of the outage, and of the restore.
async fn drill(site: &SiteContext, outage: BucketOutage) -> Result<(), Error> {
    let (s3, of) = (&site.services().s3, site.site());
    let failed = |error| Error::new("drill", error);
    verify(site, None, &Run::silent()).await?;
    let undo = s3.read_restore_action(of, outage).await.map_err(failed)?;
    let at = fastrand::u64(1..2_000_000_000);
    let journal = serde_json::json!({"at": at, "undo": undo}).to_string();
    s3.write_drill_journal(of, &journal).await.map_err(failed)?;
    s3.break_primary(of, &undo).await.map_err(failed)?;
    if outage == BucketOutage::Replication {
        s3.put_replication_probe(of, "x").await.map_err(failed)?;
        s3.has_replication_probe(of, "x").await.map_err(failed)?;
    }
    let watch = std::sync::Arc::new(Warnings::default());
    restore(site, &Run::new(watch.clone())).await?;
    match watch.0.lock().unwrap().first() {
        // The record could not be written.
        Some(warning) => Err(Error::refused("drill", warning)),
        None => Ok(()),
    }
}

/// The warnings of a run.
#[derive(Debug, Default)]
struct Warnings(std::sync::Mutex<Vec<String>>);

impl Watch for Warnings {
    fn event(&self, event: &Event) {
        if let Event::Warning { text, .. } = event {
            self.0.lock().unwrap().push(text.clone());
        }
    }
}

fn is_denied(error: &Error) -> bool {
    let text = format!("{error:?}");
    ["AccessDenied", "AuthorizationError", "Denied"].iter().any(|word| text.contains(word))
}

async fn roles_run_their_commands_and_no_others(mode: Mode) {
    let account = Account::new(mode).await;
    // The first apply and the first deploy, with nothing there.
    let applier = account.role(PolicyKind::Applier, 0).await;
    apply_all(&account.context(&applier, account.config()).await).await.unwrap();
    let publisher = account.role(PolicyKind::Publisher, 0).await;
    let first = account.context(&publisher, account.config()).await;
    account.deploy(&first).await.unwrap_or_else(|error| panic!("first deploy in {mode}: {error:?}"));
    account.deploy(&first).await.unwrap();
    for command in COMMANDS.into_iter().filter(|command| command.exists_in(mode)) {
        // First those who may not, so that there is something left to destroy.
        for allowed in [false, true] {
            for (number, role) in [PolicyKind::Reader, PolicyKind::Publisher, PolicyKind::Operator, PolicyKind::Applier]
                .into_iter()
                .enumerate()
            {
                if command.is_for(role) != allowed {
                    continue;
                }
                let access = account
                    .role(role, COMMANDS.iter().position(|one| *one == command).unwrap() * 10 + number + 1)
                    .await;
                let before = account.state();
                let result = Box::pin(account.run(&access, command)).await;
                if allowed {
                    result.unwrap_or_else(|error| panic!("{role:?}: {command:?} in {mode}: {error:?}"));
                } else {
                    let error = result.expect_err(&format!("{role:?} must not {command:?} in {mode}"));
                    assert!(is_denied(&error), "{role:?}: {command:?} in {mode}: {error:?}");
                    // What an administrator has prepared for these stays.
                    let prepared = [
                        Command::Backfill,
                        Command::BackfillByJob,
                        Command::DeployInOutage,
                        Command::FailbackAfterOutage,
                    ];
                    if !prepared.contains(&command) {
                        assert_eq!(account.state(), before, "{role:?}: {command:?} in {mode} changed something");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn in_mode_dns_roles_run_their_commands_and_no_others() {
    Box::pin(roles_run_their_commands_and_no_others(MODES[0])).await;
}

#[tokio::test]
async fn in_mode_origin_roles_run_their_commands_and_no_others() {
    Box::pin(roles_run_their_commands_and_no_others(MODES[1])).await;
}

#[tokio::test]
async fn in_mode_layered_roles_run_their_commands_and_no_others() {
    Box::pin(roles_run_their_commands_and_no_others(MODES[2])).await;
}

#[tokio::test]
async fn an_applier_cannot_make_an_administrator_of_a_role() {
    let account = Account::new(Mode::Layered).await;
    let applier = account.role(PolicyKind::Applier, 0).await;
    apply_all(&account.context(&applier, account.config()).await).await.unwrap();
    let iam = Session::open(applier).await.unwrap().iam();
    let role = "twinsite-www-example-com-replication";
    let everything = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let denied = |text: String| assert!(text.contains("AccessDenied"), "{text}");
    denied(format!("{:?}", iam.delete_role_permissions_boundary().role_name(role).send().await.unwrap_err()));
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    denied(format!(
        "{:?}",
        iam.put_role_permissions_boundary().role_name(role).permissions_boundary(admin).send().await.unwrap_err()
    ));
    denied(format!("{:?}", iam.attach_role_policy().role_name(role).policy_arn(admin).send().await.unwrap_err()));
    denied(format!(
        "{:?}",
        iam.create_role().role_name("other").assume_role_policy_document(everything).send().await.unwrap_err()
    ));
    // It may write the policy and the trust of the site's own role, but the boundary holds.
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    iam.put_role_policy().role_name(role).policy_name("replicate").policy_document(everything).send().await.unwrap();
    iam.update_assume_role_policy().role_name(role).policy_document(trust).send().await.unwrap();
    let administrator = account.administrator().await;
    let sts = administrator.sts(&"us-east-1".parse().unwrap());
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/twinsite/{role}");
    let assumed =
        sts.assume_role().role_arn(arn).role_session_name("escalated").send().await.unwrap().credentials.unwrap();
    let (key, secret, token) = (assumed.access_key_id, assumed.secret_access_key, assumed.session_token);
    let escalated =
        Session::open(account.access(Some(Credentials::new(key, secret, Some(token), None, "test")))).await.unwrap();
    denied(format!("{:?}", escalated.iam().get_role().role_name(role).send().await.unwrap_err()));
    denied(format!("{:?}", escalated.cloudfront().list_distributions().send().await.unwrap_err()));
}

#[tokio::test]
async fn a_publisher_invalidates_its_own_distribution_only() {
    let account = Account::new(Mode::Layered).await;
    apply_all(&account.context(&account.access(None), account.config()).await).await.unwrap();
    let publisher = Session::open(account.role(PolicyKind::Publisher, 0).await).await.unwrap().cloudfront();
    let id = account.cloud.world().account(|world, _| world.cloudfront.distributions().next().unwrap().id.clone());
    let invalidate = || {
        let paths = aws_sdk_cloudfront::types::Paths::builder().quantity(1).items("/*").build().unwrap();
        let reference = fastrand::u64(..).to_string();
        let batch = aws_sdk_cloudfront::types::InvalidationBatch::builder().paths(paths).caller_reference(reference);
        publisher.create_invalidation().distribution_id(&id).invalidation_batch(batch.build().unwrap()).send()
    };
    invalidate().await.unwrap();
    let cloudfront = account.administrator().await.cloudfront();
    let arn = format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{id}");
    let tag =
        aws_sdk_cloudfront::types::Tag::builder().key("twinsite:site").value("other.example.com").build().unwrap();
    let tags = aws_sdk_cloudfront::types::Tags::builder().items(tag).build();
    cloudfront.tag_resource().resource(arn).tags(tags).send().await.unwrap();
    assert!(format!("{:?}", invalidate().await.unwrap_err()).contains("AccessDenied"));
}

#[tokio::test]
async fn own_tags_roles_and_boundaries_are_used_from_the_beginning() {
    let account = Account::new(Mode::Layered).await;
    let administrator = account.administrator().await;
    let iam = administrator.iam();
    let boundary = policy(&account.config(), ACCOUNT.parse().unwrap(), PolicyKind::Boundary).unwrap();
    let document = boundary[0].document.to_string();
    let created = iam.create_policy().policy_name("boundary").policy_document(document).send().await.unwrap();
    let boundary = created.policy.unwrap().arn.unwrap();
    let mut config = account.config();
    config.tags = [("team".to_owned(), "web".to_owned())].into();
    config.permissions_boundary = Some(boundary.parse().unwrap());
    let site = account.context(&account.access(None), config.clone()).await;
    apply_all(&site).await.unwrap();
    let again = plan(&site, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
    assert!(again.is_empty(), "{:?}", again.summary());
    account.cloud.world().account(|world, _| {
        let role = world.iam.roles().next().unwrap();
        assert_eq!((role.policies.boundary.as_deref(), role.tags["team"].as_str()), (Some(boundary.as_str()), "web"));
        assert_eq!(world.cloudfront.distributions().next().unwrap().tags["team"], "web");
        assert!(world.acm.all().all(|certificate| certificate.tags["team"] == "web"));
    });
    let s3 = administrator.s3(&"us-west-2".parse().unwrap());
    let tags = s3.get_bucket_tagging().bucket("www.example.com").send().await.unwrap();
    assert!(tags.tag_set().iter().any(|tag| tag.key() == "team" && tag.value() == "web"));
    // The boundary is enough for what the role is for: an object put now arrives.
    account.deploy(&site).await.unwrap();
    // A role of one's own: none is created, none is looked at.
    let other = Account::new(Mode::Dns).await;
    let iam = other.administrator().await.iam();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let own =
        iam.create_role().role_name("own").assume_role_policy_document(trust).send().await.unwrap().role.unwrap().arn;
    let mut config = other.config();
    config.replication_role = Some(own.parse().unwrap());
    other.cloud.reset_request_counts();
    apply_all(&other.context(&other.access(None), config).await).await.unwrap();
    let counts = other.cloud.request_counts();
    assert!(!counts.contains_key("CreateRole") && !counts.contains_key("GetRole"), "{counts:?}");
}

fn environment(access: &Access) -> Environment {
    Environment { access: access.clone(), polling: POLLING, network: Network::Unavailable, outages: None }
}
