//! Trust policies of roles that jobs of continuous integration assume.

use serde_json::{Value, json};
use twinsite_core::AccountId;

use crate::error::Error;
use crate::policy_document::document;

const OPERATION: &str = "compute the policy";

/// A continuous integration service whose jobs may assume a role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustedJobs {
    /// GitHub Actions.
    /// <https://docs.github.com/en/actions/reference/security/oidc>
    GitHub {
        /// `ORG/REPO`.
        repository: String,
        /// The environment in which a job runs.
        environment: String,
        /// The ids of the owner and of the repository, which are in the subject of tokens for repositories that were created, renamed or
        /// transferred since 2026-07-15, and for those that have opted in. Without them only the older form is trusted.
        ids: Option<GitHubIds>,
    },
    /// GitLab CI/CD on gitlab.com.
    /// <https://docs.gitlab.com/ci/cloud_services/aws/>
    GitLab {
        /// `GROUP/PROJECT`, with any number of subgroups.
        project: String,
        /// The protected branch on which a job runs.
        branch: String,
    },
    /// Bitbucket Pipelines.
    /// <https://support.atlassian.com/bitbucket-cloud/docs/deploy-on-aws-using-bitbucket-pipelines-openid-connect/>
    Bitbucket {
        /// The name of the workspace, as in its address.
        workspace: String,
        /// The UUID of the workspace, without braces.
        workspace_uuid: String,
        /// The UUID of the repository, without braces.
        repository_uuid: String,
    },
}

/// The numbers that GitHub knows an owner and a repository by. They never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GitHubIds {
    /// The `id` of the owner in GitHub's API.
    pub owner: u64,
    /// The `id` of the repository in GitHub's API.
    pub repository: u64,
}

/// The trust policy of a role that jobs of one repository assume.
///
/// # Errors
/// Names that are empty or contain a pattern.
pub fn trust_policy(account: &AccountId, jobs: &TrustedJobs) -> Result<Value, Error> {
    let plain = |part: &str| !part.is_empty() && !part.contains(['*', '?', ':', ' ', '{', '}', '$', '@']);
    let refuse = |why: String| Err(Error::usage(OPERATION, format!("{why}: a pattern would admit other repositories")));
    let path = |text: &str, least: usize, most: usize| {
        let parts: Vec<&str> = text.split('/').collect();
        (least..=most).contains(&parts.len()) && parts.into_iter().all(plain)
    };
    let (issuer, audience, subjects) = match jobs {
        TrustedJobs::GitHub { repository, environment, ids } => {
            if !path(repository, 2, 2) || !plain(environment) {
                return refuse(format!("`{repository}` is not ORG/REPO, or `{environment}` not an environment"));
            }
            let mut subjects = vec![format!("repo:{repository}:environment:{environment}")];
            if let (Some(GitHubIds { owner, repository: id }), Some((org, repo))) = (ids, repository.split_once('/')) {
                subjects.push(format!("repo:{org}@{owner}/{repo}@{id}:environment:{environment}"));
            }
            ("token.actions.githubusercontent.com".to_owned(), "sts.amazonaws.com".to_owned(), json!({"sub": subjects}))
        }
        TrustedJobs::GitLab { project, branch } => {
            if !path(project, 2, 20) || !path(branch, 1, 20) {
                return refuse(format!("`{project}` is not GROUP/PROJECT, or `{branch}` not a branch"));
            }
            let subject = format!("project_path:{project}:ref_type:branch:ref:{branch}");
            ("gitlab.com".to_owned(), "https://gitlab.com".to_owned(), json!({"sub": [subject]}))
        }
        TrustedJobs::Bitbucket { workspace, workspace_uuid, repository_uuid } => {
            if ![workspace, workspace_uuid, repository_uuid].into_iter().all(|part| path(part, 1, 1)) {
                return refuse(format!("`{workspace}` is not a workspace, or the UUIDs are not plain"));
            }
            let issuer = format!("api.bitbucket.org/2.0/workspaces/{workspace}/pipelines-config/identity/oidc");
            let audience = format!("ari:cloud:bitbucket::workspace/{workspace_uuid}");
            // Behind the repository follow the environment, if a step has one, and the step.
            (issuer, audience, json!({"like": [format!("{{{repository_uuid}}}:*")]}))
        }
    };
    let mut condition = json!({"StringEquals": {format!("{issuer}:aud"): audience}});
    if let Some(patterns) = subjects.get("like") {
        condition["StringLike"] = json!({format!("{issuer}:sub"): patterns});
    } else {
        condition["StringEquals"][format!("{issuer}:sub")] = subjects["sub"].clone();
    }
    Ok(document(&[json!({
        "Effect": "Allow",
        "Principal": {"Federated": format!("arn:aws:iam::{account}:oidc-provider/{issuer}")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    })]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_trusted_by_every_form_of_their_subject() {
        let account: AccountId = "111122223333".parse().unwrap();
        let repository = "acme/site".to_owned();
        let environment = "production".to_owned();
        let github =
            |ids| TrustedJobs::GitHub { repository: repository.clone(), environment: environment.clone(), ids };
        let subjects = |jobs: &TrustedJobs| trust_policy(&account, jobs).unwrap()["Statement"][0]["Condition"].clone();
        let old = "repo:acme/site:environment:production";
        let aud = json!({"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"});
        let both = subjects(&github(Some(GitHubIds { owner: 65, repository: 1296 })));
        assert_eq!(
            both["StringEquals"]["token.actions.githubusercontent.com:sub"],
            json!([old, "repo:acme@65/site@1296:environment:production"])
        );
        assert_eq!(
            both["StringEquals"]["token.actions.githubusercontent.com:aud"],
            aud["token.actions.githubusercontent.com:aud"]
        );
        assert_eq!(subjects(&github(None))["StringEquals"]["token.actions.githubusercontent.com:sub"], json!([old]));
        let gitlab = TrustedJobs::GitLab { project: "acme/web/site".to_owned(), branch: "main".to_owned() };
        let subject = "project_path:acme/web/site:ref_type:branch:ref:main";
        assert_eq!(subjects(&gitlab)["StringEquals"]["gitlab.com:sub"], json!([subject]));
        let bitbucket = |workspace: &str| TrustedJobs::Bitbucket {
            workspace: workspace.to_owned(),
            workspace_uuid: "w-1".to_owned(),
            repository_uuid: "r-1".to_owned(),
        };
        let issuer = "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc";
        let condition = subjects(&bitbucket("acme"));
        assert_eq!(condition["StringLike"][format!("{issuer}:sub")], json!(["{r-1}:*"]));
        assert_eq!(condition["StringEquals"][format!("{issuer}:aud")], "ari:cloud:bitbucket::workspace/w-1");
        for wrong in [
            TrustedJobs::GitLab { project: "acme".to_owned(), branch: "main".to_owned() },
            TrustedJobs::GitLab { project: "acme/site".to_owned(), branch: "*".to_owned() },
            bitbucket("*"),
        ] {
            assert!(trust_policy(&account, &wrong).is_err(), "{wrong:?}");
        }
    }
}
