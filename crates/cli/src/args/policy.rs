//! Arguments of `iam-policy`.

use clap::{Args as ClapArgs, ValueEnum};
use twinsite_site::Prefix;

pub(super) const POLICY_NOTE: &str = "\
With --account, no request is sent, so that no credentials are needed; only then it does not warn about an interrupted drill.";

/// Who needs a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// For plan, status, verify and releases
    Reader,
    /// For deploy, rollback and backfill
    Publisher,
    /// For apply, destroy, cert import, and everything above
    Applier,
    /// For drill, failover, failback, and what readers and publishers may do
    Operator,
    /// The permissions boundary of the roles that apply creates
    Boundary,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct IamPolicy {
    /// Role that needs the policy: reader (plan, status, verify, releases), publisher (deploy, rollback, backfill by
    /// copying), applier (apply, destroy, cert import, and everything that these two may do) or operator (drill, failover,
    /// failback, and what readers and publishers may do); boundary prints a policy for `site.permissions_boundary`. A trust policy is the
    /// same for every role
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        required_unless_present_any = ["github", "gitlab", "bitbucket"]
    )]
    pub(crate) role: Option<Role>,
    /// With --role publisher: for what is below this prefix and its records only
    #[arg(long, value_name = "PREFIX", requires = "role")]
    pub(crate) prefix: Option<Prefix>,
    /// Print the trust policy for GitHub workflows of this repository instead
    #[arg(long, value_name = "ORG/REPO", conflicts_with_all = ["gitlab", "bitbucket"])]
    pub(crate) github: Option<String>,
    /// With --github: numeric ids of the owner and of the repository, which are in the tokens of repositories that were
    /// created, renamed or transferred since 2026-07-15. `gh api repos/ORG/REPO --jq '"\(.owner.id)/\(.id)"'` prints them
    #[arg(long, value_name = "ORG_ID/REPO_ID", requires = "github", value_parser = github_ids)]
    pub(crate) github_ids: Option<GitHubIds>,
    /// Print the trust policy for GitLab CI/CD jobs of this project instead
    #[arg(long, value_name = "GROUP/PROJECT", conflicts_with = "bitbucket")]
    pub(crate) gitlab: Option<String>,
    /// With --gitlab: branch on which those jobs must run
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub(crate) branch: String,
    /// Print the trust policy for Bitbucket Pipelines of this workspace instead
    #[arg(long, value_name = "WORKSPACE", requires = "bitbucket_uuids")]
    pub(crate) bitbucket: Option<String>,
    /// With --bitbucket: UUIDs of the workspace and of the repository, from the repository's settings under OpenID Connect
    #[arg(long, value_name = "WORKSPACE_UUID/REPO_UUID", requires = "bitbucket", value_parser = bitbucket_uuids)]
    pub(crate) bitbucket_uuids: Option<BitbucketUuids>,
    /// GitHub environment in which those workflows must run
    #[arg(long, value_name = "NAME", default_value = "production")]
    pub(crate) environment: String,
    /// AWS account [default: the account of the credentials]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
}

/// The numbers that GitHub knows an owner and a repository by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GitHubIds {
    pub(crate) owner: u64,
    pub(crate) repository: u64,
}

/// Reads `ORG_ID/REPO_ID`.
fn github_ids(text: &str) -> Result<GitHubIds, String> {
    let ids = text.split_once('/').and_then(|(owner, repository)| {
        Some(GitHubIds { owner: owner.parse().ok()?, repository: repository.parse().ok()? })
    });
    ids.ok_or_else(|| "is not two numbers with a slash between them, such as 65/1296".to_owned())
}

/// The UUIDs of a workspace and of a repository, without braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BitbucketUuids {
    pub(crate) workspace: String,
    pub(crate) repository: String,
}

/// Reads `WORKSPACE_UUID/REPO_UUID`, with or without braces.
fn bitbucket_uuids(text: &str) -> Result<BitbucketUuids, String> {
    let plain = |uuid: &str| uuid.trim_start_matches('{').trim_end_matches('}').to_owned();
    let valid = |uuid: &str| uuid.len() == 36 && uuid.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let uuids = text
        .split_once('/')
        .map(|(workspace, repository)| BitbucketUuids { workspace: plain(workspace), repository: plain(repository) });
    let uuids = uuids.filter(|uuids| valid(&uuids.workspace) && valid(&uuids.repository));
    uuids.ok_or_else(|| "is not two UUIDs with a slash between them".to_owned())
}
