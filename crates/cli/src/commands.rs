//! One function per command: arguments to request, operation, result.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use clap::CommandFactory;
use futures::future::{Either, select};
use twinsite_core::wait::pause;
use twinsite_site::drill::{ConfigFile, DrillHistory, PreparedDrill, Scheduler};
use twinsite_site::{
    self as site, AdoptBuckets, CertificateFiles, Config, DeployResult, DoctorRequest, Error, Event, FailbackChecks,
    FailbackRequest, PurgePlan, Run, SitePlan, SourceDirectory, StatusRequest, TrustedJobs, VisitorCheck,
};

use crate::args::{self, Args, Command, Global, PrefixArgs};
use crate::bucket_hints::for_buckets;
use crate::config::read_config;
use crate::environment::{
    CloudHandle, DataPlane, OpenEnvironment, OpenSite, open_environment, open_site, open_site_to_read,
    open_site_without_warning,
};
use crate::folder::{FOLDER, NewFolder};
use crate::init;
use crate::man::write_man_pages;
use crate::render::{Screen, check_terminal, purge_question};
use crate::requests::{
    adopt, backfill_request, deploy_request, failover_by, policy_kind, rollback_request, trusted_jobs,
};
pub(crate) use crate::result::Outcome;
use crate::result::{CommandResult, DeployedResult, DrilledResult, PlanResult};

/// Runs a command.
pub(crate) async fn execute(args: Args, run: &Run, screen: &Screen) -> Outcome {
    let Args { global, version: _, command } = args;
    let context = Context { global: &global, run, screen };
    match command {
        Command::Init(options) => Box::pin(init::init(&global, &options, run)).await,
        Command::Import(options) => Box::pin(crate::import::import(&global, options, run)).await,
        Command::Plan(options) => Box::pin(context.plan(&options)).await,
        Command::Apply(options) => Box::pin(context.apply(&options)).await,
        Command::Deploy(options) if options.buckets.is_given() => {
            Box::pin(context.deploy_to_buckets(&options)).await.map_err(for_buckets)
        }
        Command::Verify(options) if options.buckets.is_given() => {
            Box::pin(context.verify_buckets(options)).await.map_err(for_buckets)
        }
        Command::Backfill(options) if options.buckets.is_given() => {
            Box::pin(context.backfill_buckets(&options)).await.map_err(for_buckets)
        }
        Command::Releases(options) if options.buckets.is_given() => {
            Box::pin(context.bucket_releases(&options)).await.map_err(for_buckets)
        }
        Command::Rollback(options) if options.buckets.is_given() => {
            Box::pin(context.roll_back_buckets(&options)).await.map_err(for_buckets)
        }
        Command::Pull(options) if options.buckets.is_given() => {
            Box::pin(context.pull_bucket(&options)).await.map_err(for_buckets)
        }
        Command::Deploy(options) => Box::pin(context.deploy(&options)).await,
        Command::Verify(options) => Box::pin(context.verify(options)).await,
        Command::Backfill(options) => Box::pin(context.backfill(&options)).await,
        Command::Releases(options) => Box::pin(context.releases(&options)).await,
        Command::Rollback(options) => Box::pin(context.rollback(&options)).await,
        Command::Pull(options) => Box::pin(context.pull(&options)).await,
        Command::Diff(options) => Box::pin(context.diff(options)).await,
        Command::Status(options) => Box::pin(context.status(&options)).await,
        Command::Doctor(options) => Box::pin(context.doctor(options)).await,
        Command::Drill(options) => Box::pin(context.drill(&options)).await,
        Command::Drills => Box::pin(context.drills()).await,
        Command::Failover(options) => Box::pin(context.failover(&options)).await,
        Command::Failback(options) => Box::pin(context.failback(&options)).await,
        Command::Cert { command: args::Cert::Import(options) } => Box::pin(context.import_certificate(&options)).await,
        Command::Auth { command: args::Auth::Hash } => crate::auth::hash_password(),
        Command::IamPolicy(options) => Box::pin(context.iam_policy(&options)).await,
        Command::Destroy(options) => Box::pin(context.destroy(&options)).await,
        Command::Local(options) => Box::pin(context.local(&options)).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "twinsite", &mut script);
            Ok(CommandResult::Document(String::from_utf8_lossy(&script).into_owned()))
        }
        Command::Man { dir } => write_man_pages(&dir),
    }
}

/// What every command needs.
pub(crate) struct Context<'a> {
    pub(crate) global: &'a Global,
    pub(crate) run: &'a Run,
    pub(crate) screen: &'a Screen,
}

impl Context<'_> {
    async fn open(&self, data_plane: DataPlane) -> Result<OpenSite, Error> {
        Box::pin(open_site(self.global, read_config(self.global)?, data_plane, self.run)).await
    }

    /// The same for the part of the buckets that a command is about.
    async fn open_scope(&self, scope: &PrefixArgs) -> Result<OpenSite, Error> {
        Box::pin(open_site(self.global, self.config_of(scope)?, DataPlane::NotNeeded, self.run)).await
    }

    pub(crate) async fn open_to_read(&self, scope: &PrefixArgs) -> Result<OpenSite, Error> {
        Box::pin(open_site_to_read(self.global, self.config_of(scope)?, self.run)).await
    }

    pub(crate) fn config_of(&self, scope: &PrefixArgs) -> Result<Config, Error> {
        let mut config = read_config(self.global)?;
        config.publish.prefix.clone_from(&scope.prefix);
        Ok(config)
    }

    /// Asks for confirmation, unless `--yes` or `--local` was given.
    pub(crate) async fn confirm(&self, question: &str, word: &str) -> Result<bool, Error> {
        Ok(self.global.yes || self.global.local || self.screen.confirm(self.run, question, word).await?)
    }

    async fn plan(&self, options: &args::Plan) -> Outcome {
        let OpenSite { site, cloud } = self.open_to_read(&PrefixArgs::default()).await?;
        let planned = site::plan(&site, adopt(options.adopt), self.run).await;
        let planned = finish(cloud, planned).await?;
        Ok(CommandResult::Plan(PlanResult {
            plan: planned.summary(),
            estimate: Some(site::estimate(&site)),
            exit_if_pending: options.check,
        }))
    }

    async fn apply(&self, options: &args::Apply) -> Outcome {
        let OpenSite { site, cloud } = self.open(DataPlane::to_apply(&read_config(self.global)?)).await?;
        let applied = async {
            let plan = site::plan(&site, adopt(options.adopt), self.run).await?;
            let fingerprint = plan.fingerprint();
            if let Some(expected) = options.expect.as_ref().filter(|expected| **expected != fingerprint) {
                let why = format!("the plan is now {fingerprint}, not {expected}; nothing was changed");
                let hint = "review it with `twinsite plan`, and approve the new fingerprint";
                return Err(Error::refused("apply the plan", why).hint(hint));
            }
            self.show_plan(&plan);
            let ask = !plan.is_empty() && options.expect.is_none();
            if ask && !self.confirm("Apply this plan? Type yes: ", "yes").await? {
                return Ok(CommandResult::Declined);
            }
            Ok(CommandResult::Applied(Box::pin(site::apply(&site, plan, self.run)).await?))
        };
        let applied = Box::pin(applied).await;
        finish(cloud, applied).await
    }

    fn show_plan(&self, plan: &SitePlan) {
        let plan = PlanResult { plan: plan.summary(), estimate: None, exit_if_pending: false };
        self.screen.show_intermediate(&CommandResult::Plan(plan));
    }

    async fn destroy(&self, options: &args::Destroy) -> Outcome {
        let OpenSite { site, cloud } = self.open(DataPlane::NotNeeded).await?;
        let destroyed = async {
            let plan =
                if options.former { site::plan_destroy_former(&site).await } else { site::plan_destroy(&site).await }?;
            if plan.is_empty() {
                return Ok(CommandResult::Destroyed { steps: 0 });
            }
            self.show_plan(&plan);
            let domain = site.site().domain.as_str();
            let question = format!("This cannot be undone. Type {domain} to continue: ");
            if !self.global.yes && !self.screen.confirm(self.run, &question, domain).await? {
                return Ok(CommandResult::Declined);
            }
            Ok(CommandResult::Destroyed { steps: site::destroy(&site, plan, self.run).await? })
        };
        let destroyed = Box::pin(destroyed).await;
        finish(cloud, destroyed).await
    }

    async fn deploy(&self, options: &args::Deploy) -> Outcome {
        let mut config = self.config_of(&options.scope)?;
        let checks = &mut config.publish.checks;
        checks.index &= !options.allow_no_index;
        checks.output_only &= !options.allow_project_root;
        let request = deploy_request(options)?;
        let checks = match request.check {
            VisitorCheck::Configured => config.publish.probe,
            VisitorCheck::Skip => false,
            VisitorCheck::Check => true,
        };
        let proves = options.apply && DataPlane::to_apply(&config) != DataPlane::NotNeeded;
        let data_plane = if checks || proves { DataPlane::AtSpeed(1) } else { DataPlane::NotNeeded };
        let index = Some(index_file(self.global));
        let reading = SourceDirectory::read(&config, &options.dir, index, options.commit.as_deref());
        let opening = open_site_without_warning(self.global, config.clone(), data_plane, self.run);
        let (source, OpenSite { site, cloud }) = Box::pin(read_and_open(self.global, reading, opening)).await?;
        let folder = NewFolder::expect(&twinsite_folder(self.global));
        let deployed = async {
            if options.apply && !options.dry_run {
                let plan = site::plan(&site, AdoptBuckets::Refuse, self.run).await?;
                Box::pin(site::apply(&site, plan, self.run)).await?;
            }
            let purge = if options.purge.is_empty() {
                None
            } else {
                Some(Box::pin(site::plan_purge(&site, &options.purge, Some(source.source()))).await?)
            };
            cloud.reset_requests().await;
            if options.dry_run {
                let plan = site::plan_deploy(&site, source, &request, self.run).await?;
                return Ok(CommandResult::DryRun(Box::new(site::DeployPlan { purge, ..plan }.summary())));
            }
            if let Some(purge) = &purge
                && !self.confirm_purge(purge).await?
            {
                return Ok(CommandResult::Declined);
            }
            let deployed = if options.rollback_on_failure {
                Box::pin(site::deploy_or_roll_back(&site, source, &request, self.run)).await?
            } else {
                Box::pin(site::deploy(&site, source, &request, self.run)).await?
            };
            let purged = match purge {
                Some(purge) => Some(Box::pin(site::purge(&site, purge, &request.options, self.run)).await?),
                None => None,
            };
            Ok(match deployed_result(deployed, &cloud).await {
                CommandResult::Deployed(deployed) => {
                    // Otherwise it would have failed.
                    let checked = checks.then_some(true);
                    CommandResult::Deployed(Box::new(DeployedResult { purged, checked, ..*deployed }))
                }
                other => other,
            })
        };
        let deployed = Box::pin(deployed).await.map_err(|error: Error| {
            let creates = error.hints.iter().any(|hint| hint.starts_with("create the buckets first"));
            if creates { error.hint("or add --apply, which creates them before it publishes") } else { error }
        });
        folder.ignore_in_git();
        if options.serve && deployed.is_ok() {
            return self.serve(&site, cloud, deployed?).await;
        }
        finish(cloud, deployed).await
    }

    /// Names what a purge destroys, and asks, unless `--yes` was given.
    async fn confirm_purge(&self, purge: &PurgePlan) -> Result<bool, Error> {
        if self.global.yes {
            return Ok(true);
        }
        let question = purge_question(purge);
        check_terminal().map_err(|error| {
            let keys: Vec<String> = purge.summary().into_iter().map(|key| format!("`{}`", key.key)).collect();
            error.hint(format!("it removes every version of {} from both buckets", keys.join(", ")))
        })?;
        self.screen.confirm(self.run, &question, "purge").await
    }

    async fn rollback(&self, options: &args::Rollback) -> Outcome {
        let request = rollback_request(options)?;
        let OpenSite { site, cloud } = self.open_scope(&options.scope).await?;
        cloud.reset_requests().await;
        let rolled_back = async {
            if options.dry_run {
                let plan = site::plan_rollback(&site, &request, self.run).await?;
                return Ok(CommandResult::DryRun(Box::new(plan.summary())));
            }
            let result = site::rollback(&site, &request, self.run).await?;
            Ok(deployed_result(result, &cloud).await)
        };
        let rolled_back = Box::pin(rolled_back).await;
        finish(cloud, rolled_back).await
    }

    async fn verify(&self, options: args::Verify) -> Outcome {
        let OpenSite { site, cloud } = self.open_to_read(&options.scope).await?;
        let verified = Box::pin(site::verify(&site, options.dir, self.run)).await;
        finish(cloud, verified.map(CommandResult::Verified)).await
    }

    async fn backfill(&self, options: &args::Backfill) -> Outcome {
        let OpenSite { site, cloud } = self.open_scope(&options.scope).await?;
        let request = backfill_request(options);
        let backfilled = async {
            let plan = Box::pin(site::plan_backfill(&site, request, self.run)).await?;
            if options.dry_run {
                return Ok(CommandResult::BackfillDryRun(plan.summary()));
            }
            if let Some(cents) = plan.batch_cents() {
                let price = format!("${}.{:02}", cents / 100, cents % 100);
                let question = format!("The batch job costs about {price}, plus traffic. Continue? Type yes: ");
                if !self.confirm(&question, "yes").await? {
                    return Ok(CommandResult::Declined);
                }
            }
            Ok(CommandResult::Backfilled(Box::pin(site::backfill(&site, plan, self.run)).await?))
        };
        let backfilled = Box::pin(backfilled).await;
        finish(cloud, backfilled).await
    }

    async fn releases(&self, options: &args::Releases) -> Outcome {
        let OpenSite { site, cloud } = self.open_to_read(&options.scope).await?;
        let found = match (&options.id, &options.other) {
            (None, _) => Box::pin(site::releases(&site, self.run)).await.map(CommandResult::Releases),
            (Some(id), None) => site::release(&site, id).await.map(CommandResult::Release),
            (Some(before), Some(after)) => site::compare_releases(&site, before, after)
                .await
                .map(|differences| CommandResult::ReleasesCompared { differences }),
        };
        finish(cloud, found).await
    }

    async fn status(&self, options: &args::Status) -> Outcome {
        /// The interval of `--watch`.
        const INTERVAL: Duration = Duration::from_secs(10);
        let config = read_config(self.global)?;
        let OpenEnvironment { environment, cloud } =
            open_environment(self.global, DataPlane::AtSpeed(1), self.run).await?;
        let watched = async {
            cloud.create_hosted_zone(&config).await?;
            cloud.tell_weather(self.run).await;
            let mut blocks = self.screen.watched_blocks();
            loop {
                let read = site::status(&config, &environment, StatusRequest::default(), self.run);
                let status = match Box::pin(read).await {
                    Err(error) if options.watch && error.kind() == site::ErrorKind::Interrupted => {
                        return Ok(CommandResult::Watched);
                    }
                    read => read?,
                };
                if let Some(path) = &options.html {
                    crate::render::write_report(
                        path,
                        &self.screen.status_page(&status, options.watch.then_some(INTERVAL)),
                    )?;
                }
                let status = CommandResult::Status(Box::new(status));
                if !options.watch {
                    return Ok(status);
                }
                blocks.show(&status);
                pause(self.run, INTERVAL).await;
                if self.run.is_cancelled() {
                    return Ok(CommandResult::Watched);
                }
            }
        };
        let watched = Box::pin(watched).await;
        finish(cloud, watched).await
    }

    async fn doctor(&self, options: args::Doctor) -> Outcome {
        let mut request = DoctorRequest::new(self.global.config.clone(), index_file(self.global));
        request.source = options.dir;
        let config = read_config(self.global);
        let data_plane = if config.is_ok() { DataPlane::AtSpeed(1) } else { DataPlane::NotNeeded };
        let OpenEnvironment { environment, cloud } = open_environment(self.global, data_plane, self.run).await?;
        let checked = async {
            match &config {
                Ok(config) => {
                    cloud.create_hosted_zone(config).await?;
                    cloud.tell_weather(self.run).await;
                    Box::pin(site::doctor(config, &environment, &request, self.run)).await
                }
                Err(fault) => {
                    Box::pin(site::doctor_without_configuration(fault, &environment, &request, self.run)).await
                }
            }
        };
        let checked = Box::pin(checked).await;
        finish(cloud, checked.map(CommandResult::Doctor)).await
    }

    async fn drill(&self, options: &args::Drill) -> Outcome {
        let config = read_config(self.global)?;
        let outage = options.how.as_deref().map(str::parse).transpose();
        let outage = outage.map_err(|error| Error::new("read --how", site::Cause::Invalid(error)))?;
        let request = site::drill::DrillRequest { outage, objective: options.objective.map(Duration::from_secs) };
        if let Some(scheduler) = options.schedule {
            return self.drill_schedule(&config, request, scheduler);
        }
        let data_plane =
            if options.restore { DataPlane::NotNeeded } else { DataPlane::AtSpeed(options.speed.unwrap_or(10)) };
        if !options.restore {
            request.check(&config, self.global.local)?;
            if !(self.global.yes || self.global.local) {
                // Rather than after the preconditions, which take a minute.
                check_terminal()?;
            }
        }
        let OpenSite { site, cloud } =
            Box::pin(open_site_without_warning(self.global, config, data_plane, self.run)).await?;
        let drilled = async {
            if options.restore {
                let site::drill::Restored { damaged, outages, .. } = site::drill::restore(&site, self.run).await?;
                let outages: Vec<_> = outages.into_iter().map(site::Outage::as_str).collect();
                return Ok(CommandResult::Restored { outage: outages.first().copied(), outages, damaged });
            }
            let prepared = Box::pin(PreparedDrill::check(&site, request, self.run)).await?;
            let (domain, outage) = (&site.site().domain, prepared.outage());
            let question = format!("This breaks the primary of {domain} ({outage}). Type yes to continue: ");
            if !self.confirm(&question, "yes").await? {
                return Ok(CommandResult::Declined);
            }
            let drill = Box::pin(prepared.run(&site, self.run)).await?;
            let history = match (&options.html, &options.markdown) {
                (None, None) => DrillHistory::default(),
                _ => self.drill_history(&site).await,
            };
            let reports = [
                options.html.as_ref().map(|path| (path, crate::render::drill_page(&drill, &history))),
                options.markdown.as_ref().map(|path| (path, crate::render::drill_markdown(&drill, &history))),
            ];
            for (path, report) in reports.into_iter().flatten() {
                crate::render::write_report(path, &report)?;
            }
            let verdict = drill.verdict();
            Ok(CommandResult::Drilled(Box::new(DrilledResult { drill, verdict })))
        };
        let drilled = Box::pin(drilled).await;
        finish(cloud, drilled).await
    }

    fn drill_schedule(
        &self,
        config: &site::Config,
        request: site::drill::DrillRequest,
        scheduler: args::Scheduler,
    ) -> Outcome {
        let scheduler = match scheduler {
            args::Scheduler::GitHub => Scheduler::GitHub,
            args::Scheduler::Cron => Scheduler::Cron,
            args::Scheduler::EventBridge => Scheduler::EventBridge,
        };
        let directory = std::env::current_dir();
        let directory = directory.map_err(|error| Error::new("find the working directory", site::Cause::Io(error)))?;
        let (named, directory) = (self.global.config.display().to_string(), directory.display().to_string());
        let file = ConfigFile { named: &named, directory: &directory };
        let text = site::drill::schedule(config, request, scheduler, file)?;
        Ok(CommandResult::DrillSchedule { scheduler, text })
    }

    /// The drills of the past, for a report that is written without them if they cannot be read.
    async fn drill_history(&self, site: &site::SiteContext) -> DrillHistory {
        Box::pin(site::drill::history(site)).await.unwrap_or_else(|error| {
            let text = format!("the report has no earlier drills: {}", error.cause);
            self.run.emit(&site::Event::Warning { text, hint: None });
            DrillHistory::default()
        })
    }

    async fn drills(&self) -> Outcome {
        let OpenSite { site, cloud } = self.open_to_read(&PrefixArgs::default()).await?;
        let history = Box::pin(site::drill::history(&site)).await;
        finish(cloud, history.map(CommandResult::Drills)).await
    }

    async fn failover(&self, options: &args::Failover) -> Outcome {
        let config = read_config(self.global)?;
        let opened = open_environment(self.global, DataPlane::AtSpeed(1), self.run).await?;
        let failed_over =
            Box::pin(site::failover(&config, opened.environment, failover_by(options.dns), self.run)).await;
        finish(opened.cloud, failed_over.map(CommandResult::FailedOver)).await
    }

    async fn failback(&self, options: &args::Failback) -> Outcome {
        let OpenSite { site, cloud } = self.open(DataPlane::AtSpeed(1)).await?;
        let checks = if options.force { FailbackChecks::Skip } else { FailbackChecks::Require };
        let request = FailbackRequest { by: failover_by(options.dns), checks, percent: options.percent };
        let failed_back = Box::pin(site::failback(&site, request, self.run)).await;
        finish(cloud, failed_back.map(CommandResult::FailedBack)).await
    }

    async fn import_certificate(&self, options: &args::Import) -> Outcome {
        let args::Import { cert, chain, key } = options;
        let files = CertificateFiles {
            certificate: read_pem(cert)?,
            chain: chain.as_deref().map(read_pem).transpose()?,
            private_key: read_pem(key)?,
        };
        let OpenSite { site, cloud } = self.open(DataPlane::NotNeeded).await?;
        let imported = Box::pin(site::import_certificate(&site, files)).await;
        finish(cloud, imported.map(|arn| CommandResult::CertificateImported { arn: arn.to_string() })).await
    }

    async fn iam_policy(&self, options: &args::IamPolicy) -> Outcome {
        let config = self.config_of(&PrefixArgs { prefix: options.prefix.clone() })?;
        let account = if let Some(account) = &options.account {
            account.parse().map_err(|error| Error::new("read --account", site::Cause::Invalid(error)))?
        } else {
            let OpenSite { site, cloud } = self.open(DataPlane::NotNeeded).await?;
            finish(cloud, Ok(site.site().account.clone())).await?
        };
        if let Some(jobs) = trusted_jobs(options) {
            let document = site::trust_policy(&account, &jobs)?;
            let without_ids = matches!(jobs, TrustedJobs::GitHub { ids: None, .. });
            if without_ids {
                let text = "the policy trusts the older form of a workflow's subject only".to_owned();
                let hint =
                    "for repositories created, renamed or transferred since 2026-07-15 add --github-ids: see --help";
                self.run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
            }
            let text = if self.global.json { format!("{document}\n") } else { format!("{document:#}\n") };
            return Ok(CommandResult::Document(text));
        }
        let documents = site::policy(&config, account, policy_kind(options.role.unwrap_or(args::Role::Publisher)))?;
        Ok(CommandResult::Policy { documents })
    }

    #[cfg(feature = "local")]
    async fn local(&self, options: &args::Local) -> Outcome {
        let global = Global { local: true, ..self.global.clone() };
        Box::pin(crate::local::serve_until_stopped(&global, options, self.run, self.screen)).await
    }

    #[cfg(not(feature = "local"))]
    async fn local(&self, _: &args::Local) -> Outcome {
        let global = Global { local: true, ..self.global.clone() };
        open_environment(&global, DataPlane::NotNeeded, self.run).await.map(|_| CommandResult::Served { kept: true })
    }

    /// Shows what was deployed, and serves the embedded cloud until the run is cancelled.
    #[cfg(feature = "local")]
    async fn serve(&self, site: &site::SiteContext, cloud: CloudHandle, deployed: CommandResult) -> Outcome {
        self.screen.show_intermediate(&deployed);
        let embedded = cloud.embedded.ok_or_else(|| Error::usage("serve", "--serve needs --local"))?;
        Box::pin(embedded.serve(site.site(), &self.global.state, self.run, self.screen)).await
    }

    #[cfg(not(feature = "local"))]
    async fn serve(&self, _: &site::SiteContext, cloud: CloudHandle, deployed: CommandResult) -> Outcome {
        finish(cloud, Ok(deployed)).await
    }
}

/// Closes the embedded cloud, whatever the result, and returns the result.
pub(crate) async fn finish<T>(cloud: CloudHandle, result: Result<T, Error>) -> Result<T, Error> {
    let closed = cloud.close().await;
    let result = result?;
    closed.map(|()| result)
}

/// Reads the directory while the site is opened. The first error counts; opening the embedded cloud is work for this machine,
/// so it follows.
pub(crate) async fn read_and_open(
    global: &Global,
    reading: impl Future<Output = Result<SourceDirectory, Error>>,
    opening: impl Future<Output = Result<OpenSite, Error>>,
) -> Result<(SourceDirectory, OpenSite), Error> {
    let (reading, opening) = (pin!(reading), pin!(opening));
    if global.local {
        let source = reading.await?;
        return Ok((source, opening.await?));
    }
    match select(reading, opening).await {
        Either::Left((source, opening)) => {
            let source = source?;
            Ok((source, opening.await?))
        }
        Either::Right((opened, reading)) => Ok((reading.await?, opened?)),
    }
}

pub(crate) async fn deployed_result(result: DeployResult, cloud: &CloudHandle) -> CommandResult {
    match result {
        DeployResult::Published(publish) => {
            let requests = cloud.requests().await;
            CommandResult::Deployed(Box::new(DeployedResult {
                publish: *publish,
                purged: None,
                checked: None,
                requests,
            }))
        }
        DeployResult::Skipped { reason } => CommandResult::Skipped { reason },
        _ => CommandResult::Declined,
    }
}

/// Beside the configuration, so that every site has its own.
pub(crate) fn twinsite_folder(global: &Global) -> PathBuf {
    global.config.parent().unwrap_or(Path::new("")).join(FOLDER)
}

/// The index of file digests.
pub(crate) fn index_file(global: &Global) -> PathBuf {
    twinsite_folder(global).join("index")
}

/// Reads a PEM file. Its contents never become part of a message.
fn read_pem(path: &Path) -> Result<Vec<u8>, Error> {
    let operation = format!("read `{}`", path.display());
    let bytes = std::fs::read(path).map_err(|error| Error::usage(&operation, error.to_string()))?;
    let pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
    pem.then_some(bytes).ok_or_else(|| {
        Error::usage(&operation, "it is not in PEM form")
            .hint("convert it: openssl x509 -inform der -in FILE -out FILE.pem")
    })
}
