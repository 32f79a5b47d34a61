//! Why a site does not work, or will not: what it takes is checked at once, on this machine and in AWS. Read-only.
//!
//! What `status` and `plan` find is not found a second time here: a check judges a part of the [`Status`](crate::Status) or a setting of
//! others, and adds what only matters before something goes wrong: credentials, clock, permissions, delegation, quotas.

mod checks;
mod local_files;
mod preconditions;

use std::path::PathBuf;
use std::time::Duration;

use futures::future::{FutureExt, join};
use futures::join;
use schemars::JsonSchema;
use serde::Serialize;
use twinsite_aws_session::Session;
use twinsite_core::wait::within;
use twinsite_core::{Cancelled, Run};

use crate::config::Config;
use crate::context::{Environment, drill_warning};
use crate::error::Error;
use crate::status::{Failure, SiteReader, open_session};
use checks::{Checks, ComparedClock};
use local_files::LocalState;

/// How long all of it may take, so that a command ends within ten seconds.
const TOTAL: Duration = Duration::from_secs(9);
/// How long checks may take at least.
const LEAST: Duration = Duration::from_secs(2);

const OPERATION: &str = "check the site";

/// What is checked besides the site itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DoctorRequest {
    /// How long each check may wait for responses. All are made at once.
    pub deadline: Duration,
    /// The configuration file; its directory is where twinsite keeps its files.
    pub configuration: PathBuf,
    /// The index of file digests.
    pub index: PathBuf,
    /// A directory that is to be published.
    pub source: Option<PathBuf>,
}

impl DoctorRequest {
    /// With a deadline of six seconds, so that a command ends within ten, and no directory.
    pub fn new(configuration: impl Into<PathBuf>, index: impl Into<PathBuf>) -> Self {
        Self {
            deadline: Duration::from_secs(6),
            configuration: configuration.into(),
            index: index.into(),
            source: None,
        }
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// Nothing is wrong.
    Ok,
    /// It works, but may not for long, or not as meant.
    Warning,
    /// It could not be asked.
    Unknown,
    /// Something is wrong.
    Problem,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CheckName {
    /// The configuration file.
    Configuration,
    /// The directory that is to be published; only if one was named.
    Source,
    /// Whether git ignores the folder `.twinsite`.
    GitIgnore,
    /// The index of file digests, which makes deploys fast.
    Index,
    /// Whether the clock of this machine agrees with that of AWS.
    Clock,
    /// Whether there are credentials, and whose.
    Credentials,
    /// Whether they may read what `plan` and `status` read.
    Permissions,
    /// Whether the region of the primary responds, and is enabled for the account.
    PrimaryRegion,
    /// The same of the backup.
    BackupRegion,
    /// The account-wide block of public access to buckets.
    PublicAccessBlock,
    /// Whether the hosted zone exists, and is delegated to.
    Delegation,
    /// Whether CAA records allow Amazon to issue certificates.
    Caa,
    /// The certificate.
    Certificate,
    /// The distribution.
    Distribution,
    /// Whether the site is as configured: the plan is empty.
    Drift,
    /// Settings of others that keep visitors from being served, or the site from failing over.
    ForeignSettings,
    /// Whether publishes and drills were completed.
    Publishing,
    /// Whether both buckets exist and the backup is in sync.
    Backup,
    /// The records and the health checks.
    Failover,
    /// What visitors get.
    Visitors,
    /// Alarms and subscriptions; only if somebody is to be notified.
    Alerts,
    /// Quotas that are almost reached, of those that a request for something else tells.
    Quotas,
}

/// The result of a check. A check that finds several things has several results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Check {
    /// What was checked.
    pub check: CheckName,
    /// How it ended.
    pub result: CheckResult,
    /// What was found.
    pub text: String,
    /// What to do about it; `null` if nothing is wrong. Commands are in backticks.
    pub next: Option<String>,
}

/// The results of all checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Doctor {
    /// The domain name; `null` if the configuration cannot be read.
    pub domain: Option<String>,
    /// `dns`, `origin` or `layered`; `null` if the configuration cannot be read.
    pub mode: Option<String>,
    /// The worst result: a problem, something that could not be asked, a warning, or none of these.
    pub result: CheckResult,
    /// The results: from what the others depend on to what follows from it.
    pub checks: Vec<Check>,
}

impl Doctor {
    fn new(config: Option<&Config>, checks: Vec<Check>) -> Self {
        let result = checks.iter().map(|check| check.result).max().unwrap_or(CheckResult::Ok);
        let (domain, mode) =
            (config.map(|config| config.domain.to_string()), config.map(|config| config.mode.to_string()));
        Self { domain, mode, result, checks }
    }
}

/// Checks everything that a site depends on, at once.
///
/// # Errors
/// Settings of the environment that cannot be followed, such as a malformed proxy, and a cancelled run. All else is a result.
pub async fn doctor(
    config: &Config,
    environment: &Environment,
    request: &DoctorRequest,
    run: &Run,
) -> Result<Doctor, Error> {
    let started = run.timer.now();
    let session = open_session(environment).await?;
    // Without a network it takes seconds until it is known which region the environment is in.
    let left = TOTAL.saturating_sub(run.timer.now().saturating_sub(started));
    let deadline = request.deadline.min(left.max(LEAST));
    let reader = SiteReader::new(config, environment, &session)?;
    let parts = reader.reader(deadline, run);
    let (read, preconditions, local) = join!(
        reader.read(deadline, run).boxed(),
        preconditions::read(&parts).boxed(),
        LocalState::read(config, request).boxed(),
    );
    let read = read?;
    if read.status.drill_interrupted.known() == Some(&true) {
        run.emit(&drill_warning());
    }
    let mut checks = Checks::default();
    checks.judge_configuration(config, &session);
    checks.judge_local(&local, request);
    checks.judge_access(&read.status, &preconditions, compared_clock(&session, environment));
    checks.judge_regions(&read.status, config);
    checks.judge_preconditions(&read.status, &preconditions);
    checks.judge_site(&read, reader.anonymous.is_behind_proxy());
    checks.judge_quotas(&preconditions);
    Ok(Doctor::new(Some(config), checks.0))
}

/// Checks what can be checked without a configuration, which could not be read for this reason.
///
/// # Errors
/// As [`doctor`].
pub async fn doctor_without_configuration(
    fault: &Error,
    environment: &Environment,
    request: &DoctorRequest,
    run: &Run,
) -> Result<Doctor, Error> {
    let session = open_session(environment).await?;
    let caller = async {
        let caller = within(run, request.deadline, Box::pin(session.caller())).await;
        caller.map(|caller| caller.map_err(|error| Failure::from(error).of_service("sts")))
    };
    let (caller, local) = join(caller, LocalState::read_without_configuration(request)).await;
    if run.is_cancelled() {
        return Err(Error::new(OPERATION, Cancelled));
    }
    let mut checks = Checks::default();
    checks.configuration_fault(fault);
    checks.judge_local(&local, request);
    checks.judge_caller(caller, compared_clock(&session, environment));
    Ok(Doctor::new(None, checks.0))
}

fn compared_clock(session: &Session, environment: &Environment) -> ComparedClock {
    match session.clock_offset() {
        _ if environment.is_embedded() => ComparedClock::Embedded,
        Some(offset) => ComparedClock::Ahead(offset),
        None => ComparedClock::NoResponse,
    }
}
