//! `pull` and `diff`.

use twinsite_site::{self as site, SourceDirectory};

use crate::args;
use crate::commands::{Context, Outcome, finish, index_file, read_and_open};
use crate::environment::{OpenSite, open_site_to_read};
use crate::requests::pull_request;
use crate::result::{CommandResult, DiffResult};

impl Context<'_> {
    pub(crate) async fn pull(&self, options: &args::Pull) -> Outcome {
        let OpenSite { site, cloud } = self.open_to_read(&options.scope).await?;
        let pulled = async {
            let plan = site::plan_pull(&site, pull_request(options), self.run).await?;
            if options.dry_run {
                return Ok(CommandResult::PullDryRun(plan.summary()));
            }
            Box::pin(site::pull(plan, self.run)).await.map(CommandResult::Pulled)
        };
        let pulled = Box::pin(pulled).await;
        finish(cloud, pulled).await
    }

    pub(crate) async fn diff(&self, options: args::Diff) -> Outcome {
        let args::Diff { dir, names, check, scope } = options;
        let config = self.config_of(&scope)?;
        let index = Some(index_file(self.global));
        let reading = SourceDirectory::read(&config, dir, index, None);
        let opening = open_site_to_read(self.global, config.clone(), self.run);
        let (source, OpenSite { site, cloud }) = Box::pin(read_and_open(self.global, reading, opening)).await?;
        let compared = Box::pin(site::diff(&site, source, self.run)).await.map(|differences| {
            CommandResult::Diff(DiffResult { differences, names_only: names, exit_if_different: check })
        });
        finish(cloud, compared).await
    }
}
