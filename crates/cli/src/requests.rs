//! From arguments to requests of the library.

use std::time::Duration;

use twinsite_site::{
    AdoptBuckets, BackfillRequest, DeployRequest, Engine, Error, FailoverBy, GitHubIds, Guard, OlderCommit, PolicyKind,
    PublishOptions, RollbackRequest, Sending, TakeOver, TrustedJobs, Versions, VisitorCheck, WaitForInvalidation,
};

use crate::args;

pub(crate) fn failover_by(dns: bool) -> FailoverBy {
    if dns { FailoverBy::Dns } else { FailoverBy::Mode }
}

pub(crate) fn adopt(flag: bool) -> AdoptBuckets {
    if flag { AdoptBuckets::Adopt } else { AdoptBuckets::Refuse }
}

pub(crate) fn publish_options(options: &args::Publish) -> PublishOptions {
    PublishOptions {
        wait_for_invalidation: if options.wait {
            WaitForInvalidation::Completed
        } else {
            WaitForInvalidation::Accepted
        },
        parity_timeout: Duration::from_secs(options.parity_timeout),
        lock_timeout: Duration::from_secs(options.lock_timeout),
        ..PublishOptions::default()
    }
}

pub(crate) fn rollback_request(options: &args::Rollback) -> Result<RollbackRequest, Error> {
    Ok(RollbackRequest {
        release: options.id.clone(),
        message: options.message.clone(),
        guard: options.max_delete.as_deref().map(parse_guard).transpose()?,
        options: publish_options(&options.publish),
    })
}

pub(crate) fn backfill_request(options: &args::Backfill) -> BackfillRequest {
    BackfillRequest {
        engine: match options.engine {
            args::Engine::Auto => Engine::Auto,
            args::Engine::Copy => Engine::Copy,
            args::Engine::Batch => Engine::Batch,
        },
        versions: if options.versions { Versions::All } else { Versions::Current },
        lock_timeout: Duration::from_secs(options.lock_timeout),
        ..BackfillRequest::default()
    }
}

pub(crate) fn deploy_request(options: &args::Deploy) -> Result<DeployRequest, Error> {
    Ok(DeployRequest {
        deletes: match options.delete {
            args::Deletes::None => twinsite_site::Deletes::None,
            args::Deletes::Owned => twinsite_site::Deletes::Owned,
            args::Deletes::All => twinsite_site::Deletes::All,
        },
        guard: options.max_delete.as_deref().map(parse_guard).transpose()?,
        send: if options.force { Sending::All } else { Sending::Changed },
        message: options.message.clone(),
        older: if options.if_newer { OlderCommit::Skip } else { OlderCommit::Publish },
        check: match (options.probe || options.rollback_on_failure, options.no_probe) {
            (true, _) => VisitorCheck::Check,
            (false, true) => VisitorCheck::Skip,
            (false, false) => VisitorCheck::Configured,
        },
        take_over: if options.take_over { TakeOver::MainSite } else { TakeOver::Refuse },
        options: publish_options(&options.publish),
    })
}

/// Parses `100` or `25%`.
pub(crate) fn parse_guard(text: &str) -> Result<Guard, Error> {
    let wrong =
        || Error::usage("read --max-delete", format!("`{text}` is neither a number nor a percentage, as 100 or 25%"));
    match text.strip_suffix('%').map(str::parse) {
        Some(Ok(percent)) if percent <= 100 => Ok(Guard::up_to_percent(percent)),
        Some(_) => Err(wrong()),
        None => text.parse().map(Guard::up_to).map_err(|_| wrong()),
    }
}

pub(crate) fn trusted_jobs(options: &args::IamPolicy) -> Option<TrustedJobs> {
    let args::IamPolicy {
        github,
        github_ids,
        environment,
        gitlab,
        branch,
        bitbucket,
        bitbucket_uuids,
        role: _,
        prefix: _,
        account: _,
    } = options;
    if let Some(repository) = github {
        let ids = github_ids.map(|args::GitHubIds { owner, repository }| GitHubIds { owner, repository });
        return Some(TrustedJobs::GitHub { repository: repository.clone(), environment: environment.clone(), ids });
    }
    if let Some(project) = gitlab {
        return Some(TrustedJobs::GitLab { project: project.clone(), branch: branch.clone() });
    }
    let (workspace, uuids) = (bitbucket.clone()?, bitbucket_uuids.clone()?);
    let (workspace_uuid, repository_uuid) = (uuids.workspace, uuids.repository);
    Some(TrustedJobs::Bitbucket { workspace, workspace_uuid, repository_uuid })
}

pub(crate) fn policy_kind(role: args::Role) -> PolicyKind {
    match role {
        args::Role::Boundary => PolicyKind::Boundary,
        args::Role::Reader => PolicyKind::Reader,
        args::Role::Publisher => PolicyKind::Publisher,
        args::Role::Applier => PolicyKind::Applier,
        args::Role::Operator => PolicyKind::Operator,
    }
}
