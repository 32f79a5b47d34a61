//! Commands with `--bucket`: plain buckets instead of a site.

use twinsite_site::{BucketUrl, Buckets, BucketsConfig, Cause, Error, SourceOptions};

use crate::args::{self, BucketArgs, DEFAULT_CONFIG, Global, PrefixArgs};
use crate::commands::{Context, Outcome, deployed_result, index_file, twinsite_folder};
use crate::config::read;
use crate::environment::{CloudHandle, DataPlane, OpenEnvironment, open_environment};
use crate::folder::NewFolder;
use crate::requests::{backfill_request, deploy_request, rollback_request};
use crate::result::CommandResult;

/// The settings of the configuration file that matter to plain buckets, if there is a file.
fn read_config(global: &Global, scope: &PrefixArgs) -> Result<BucketsConfig, Error> {
    let is_named = global.config != std::path::Path::new(DEFAULT_CONFIG);
    let mut config = if is_named || global.env.is_some() || global.config.exists() {
        read(&global.config, global.env.as_deref()).map(BucketsConfig::from)?
    } else {
        BucketsConfig::default()
    };
    config.publish.prefix.clone_from(&scope.prefix);
    Ok(config)
}

/// The buckets of the arguments, the primary first.
fn urls(buckets: &BucketArgs) -> Result<(BucketUrl, Option<BucketUrl>), Error> {
    let parse = |text: &String| {
        let url = text.parse::<BucketUrl>().map_err(|error| Error::new("read --bucket", Cause::Invalid(error)))?;
        Ok::<_, Error>(BucketUrl { region: url.region.or_else(|| buckets.region.clone()), ..url })
    };
    match &buckets.bucket[..] {
        [primary] => Ok((parse(primary)?, None)),
        [primary, backup] => Ok((parse(primary)?, Some(parse(backup)?))),
        _ => Err(Error::usage("read --bucket", "there can be two buckets, a primary and a backup, but no more")),
    }
}

impl Context<'_> {
    async fn open_buckets(&self, buckets: &BucketArgs, config: BucketsConfig) -> Result<(Buckets, CloudHandle), Error> {
        let (primary, backup) = urls(buckets)?;
        let OpenEnvironment { environment, cloud } =
            open_environment(self.global, DataPlane::NotNeeded, self.run).await?;
        Ok((Box::pin(Buckets::open(&primary, backup.as_ref(), config, &environment)).await?, cloud))
    }

    pub(crate) async fn deploy_to_buckets(&self, options: &args::Deploy) -> Outcome {
        let mut config = read_config(self.global, &options.scope)?;
        let checks = &mut config.publish.checks;
        checks.index &= !options.allow_no_index;
        checks.output_only &= !options.allow_project_root;
        config.distribution.clone_from(&options.distribution);
        let request = deploy_request(options)?;
        let (buckets, cloud) = self.open_buckets(&options.buckets, config).await?;
        let source = SourceOptions { index: Some(index_file(self.global)), commit: options.commit.as_deref() };
        let source = Box::pin(buckets.read(&options.dir, source)).await?;
        let folder = NewFolder::expect(&twinsite_folder(self.global));
        let prepared = Box::pin(buckets.prepare(source, request, self.run)).await?;
        if options.dry_run {
            return Ok(CommandResult::DryRun(Box::new(prepared.summary())));
        }
        let foreign = prepared.foreign_changes();
        if foreign > 0 {
            let objects = if foreign == 1 { "1 object".to_owned() } else { format!("{foreign} objects") };
            let question =
                format!("This replaces or deletes {objects} that twinsite has not published. Type yes to continue: ");
            if !self.confirm(&question, "yes").await? {
                return Ok(CommandResult::Declined);
            }
        }
        let deployed = Box::pin(prepared.publish(self.run)).await;
        folder.ignore_in_git();
        Ok(deployed_result(deployed?, &cloud).await)
    }

    pub(crate) async fn roll_back_buckets(&self, options: &args::Rollback) -> Outcome {
        let request = rollback_request(options)?;
        let config =
            BucketsConfig { distribution: options.distribution.clone(), ..read_config(self.global, &options.scope)? };
        let (buckets, cloud) = self.open_buckets(&options.buckets, config).await?;
        if options.dry_run {
            return Box::pin(buckets.plan_rollback(&request, self.run))
                .await
                .map(|plan| CommandResult::DryRun(Box::new(plan)));
        }
        let result = Box::pin(buckets.rollback(&request, self.run)).await?;
        Ok(deployed_result(result, &cloud).await)
    }

    pub(crate) async fn verify_buckets(&self, options: args::Verify) -> Outcome {
        let args::Verify { dir, scope, buckets } = options;
        let (buckets, _) = self.open_buckets(&buckets, read_config(self.global, &scope)?).await?;
        Box::pin(buckets.verify(dir, self.run)).await.map(CommandResult::Verified)
    }

    pub(crate) async fn backfill_buckets(&self, options: &args::Backfill) -> Outcome {
        if options.engine == args::Engine::Batch {
            let why = "S3 Batch Replication needs the replication rules of a configured site";
            return Err(Error::usage("backfill the backup", why).hint("use --engine copy"));
        }
        let (buckets, _) = self.open_buckets(&options.buckets, read_config(self.global, &options.scope)?).await?;
        let plan = Box::pin(buckets.plan_backfill(backfill_request(options), self.run)).await?;
        if options.dry_run {
            return Ok(CommandResult::BackfillDryRun(plan.summary()));
        }
        Box::pin(buckets.backfill(plan, self.run)).await.map(CommandResult::Backfilled)
    }

    pub(crate) async fn bucket_releases(&self, options: &args::Releases) -> Outcome {
        let (buckets, _) = self.open_buckets(&options.buckets, read_config(self.global, &options.scope)?).await?;
        match (&options.id, &options.other) {
            (None, _) => Box::pin(buckets.releases(self.run)).await.map(CommandResult::Releases),
            (Some(id), None) => Box::pin(buckets.release(id)).await.map(CommandResult::Release),
            (Some(before), Some(after)) => Box::pin(buckets.compare_releases(before, after))
                .await
                .map(|differences| CommandResult::ReleasesCompared { differences }),
        }
    }
}
