//! `twinsite iam-policy`: the least that each role needs, computed from the configuration.
//!
//! Which action belongs to which operation: <https://docs.aws.amazon.com/service-authorization/latest/reference/>.

use serde_json::{Value, json};
use twinsite_core::{AccountId, Mode, Pair, Side, Site, probe};
use twinsite_s3_site::JOURNAL;

use super::Outcome;
use crate::args::{Global, IamPolicy, Role};
use crate::error::Failure;
use crate::stack::{account_of, config};

const WHAT: &str = "compute the policy";

pub(crate) async fn iam_policy(global: &Global, options: &IamPolicy) -> Result<Outcome, Failure> {
    let config = config(global)?;
    let account: AccountId = match &options.account {
        Some(account) => account.parse().map_err(|invalid| Failure::usage(WHAT, invalid))?,
        None => account_of(global).await?,
    };
    let site = Site::new(config.domain.clone(), config.mode, account, config.regions.clone());
    let site = site.map_err(|invalid| Failure::usage("use the configuration", invalid))?;
    if let Some(repository) = &options.github {
        return trust(&site, repository, &options.environment).map(Outcome::Document);
    }
    let zone = config.dns.zone_id.as_deref().unwrap_or("*");
    Ok(Outcome::Document(document(&Policy { site: &site, zone }.statements(options.role))))
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Who may assume a role from a workflow: one repository, one environment, and nobody else.
/// <https://docs.github.com/en/actions/security-for-github-actions/security-hardening-your-deployments/configuring-openid-connect-in-amazon-web-services>
fn trust(site: &Site, repository: &str, environment: &str) -> Result<Value, Failure> {
    let parts: Vec<&str> = repository.split('/').collect();
    let plain = |part: &&str| !part.is_empty() && !part.contains(['*', '?', ':', ' ']);
    if parts.len() != 2 || !parts.iter().all(plain) || !plain(&environment) {
        let why = format!("`{repository}` is not ORG/REPO: a pattern would let strangers in");
        return Err(Failure::usage(WHAT, why));
    }
    let issuer = "token.actions.githubusercontent.com";
    let account = &site.account;
    Ok(document(&[json!({
        "Effect": "Allow",
        "Principal": {"Federated": format!("arn:aws:iam::{account}:oidc-provider/{issuer}")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            format!("{issuer}:aud"): "sts.amazonaws.com",
            format!("{issuer}:sub"): format!("repo:{repository}:environment:{environment}"),
        }},
    })]))
}

/// What is asked of a hosted zone.
const ZONE: [&str; 3] =
    ["route53:GetHostedZone", "route53:ListResourceRecordSetProtections", "route53:ListResourceRecordSets"];

struct Policy<'a> {
    site: &'a Site,
    zone: &'a str,
}

impl Policy<'_> {
    fn statements(&self, role: Role) -> Vec<Value> {
        match role {
            Role::Reader => self.reader(),
            Role::Publisher => self.publisher(),
            Role::Applier => {
                // A managed policy has 6,144 characters at most, so nothing is said twice.
                let mut all = [self.reader(), self.publisher(), self.applier()].concat();
                all.retain(|statement| {
                    !["FindDistribution", "ReadObjects"].contains(&statement["Sid"].as_str().unwrap_or_default())
                });
                all
            }
            Role::Operator => self.operator(),
        }
    }

    fn buckets(&self) -> Pair<String> {
        self.site.buckets.as_ref().map(|bucket| format!("arn:aws:s3:::{bucket}"))
    }

    fn both(&self, tail: &str) -> Vec<String> {
        self.buckets().iter().map(|(_, arn)| format!("{arn}{tail}")).collect()
    }

    /// Buckets that another mode may have left behind.
    fn former(&self, tail: &str) -> Vec<String> {
        self.site.former_buckets().iter().map(|(_, bucket)| format!("arn:aws:s3:::{bucket}{tail}")).collect()
    }

    fn allow(sid: &str, actions: &[&str], resources: impl Into<Value>) -> Value {
        json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources.into()})
    }

    /// An ARN of this account, in a service without regions.
    fn global(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}::{}:{resource}", self.site.account)
    }

    fn role_arn(&self) -> String {
        self.global("iam", &format!("role/twinsite/twinsite-{}-replication", self.site.slug()))
    }

    /// The role of replication, and the one that batch jobs work as.
    fn roles(&self) -> Vec<String> {
        let batch = self.global("iam", &format!("role/twinsite/twinsite-{}-batch", self.site.slug()));
        vec![self.role_arn(), batch]
    }

    /// `plan`, `status` and `verify`: reads of configuration and listings, and of what health checks ask for.
    fn reader(&self) -> Vec<Value> {
        let settings = [
            "s3:GetBucketLocation",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetBucketWebsite",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:ListBucket",
            "s3:ListBucketVersions",
        ];
        let everywhere = [
            "acm:DescribeCertificate",
            "acm:ListCertificates",
            "acm:ListTagsForCertificate",
            "cloudwatch:DescribeAlarms",
            "cloudfront:DescribeFunction",
            "cloudfront:GetDistribution",
            "cloudfront:GetDistributionConfig",
            "cloudfront:GetFunction",
            "cloudfront:ListDistributions",
            "cloudfront:ListOriginAccessControls",
            "cloudfront:ListTagsForResource",
            "route53:GetHealthCheckStatus",
            "route53:ListHealthChecks",
            "route53:ListHostedZones",
            "route53:ListTagsForResources",
            "s3:GetAccountPublicAccessBlock",
        ];
        vec![
            Self::allow("ReadBuckets", &settings, [self.both(""), self.former("")].concat()),
            // Comparing looks at what listings do not show, and releases are objects.
            Self::allow("ReadObjects", &["s3:GetObject", "s3:GetObjectVersion"], self.both("/*")),
            Self::allow("ReadRole", &["iam:GetRole", "iam:GetRolePolicy"], self.roles()),
            Self::allow("ReadAlarms", &["cloudwatch:ListTagsForResource"], self.alarms()),
            Self::allow("ReadTopics", &["sns:ListSubscriptionsByTopic", "sns:ListTagsForResource"], self.topics()),
            Self::allow("ReadZone", &ZONE, self.zone_arn()),
            // These know no resources, or find by looking through all.
            Self::allow("Look", &everywhere, "*"),
        ]
    }

    /// The alarms of this site, in whatever region their metrics are.
    fn alarms(&self) -> String {
        format!("arn:aws:cloudwatch:*:{}:alarm:twinsite-{}-*", self.site.account, self.site.slug())
    }

    fn topics(&self) -> String {
        format!("arn:aws:sns:*:{}:twinsite-{}", self.site.account, self.site.slug())
    }

    fn zone_arn(&self) -> String {
        format!("arn:aws:route53:::hostedzone/{}", self.zone)
    }

    /// `deploy`: objects of the two buckets, and one distribution's invalidations; nothing of the configuration.
    fn publisher(&self) -> Vec<Value> {
        let objects = [
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:GetObject",
            "s3:GetObjectTagging",
            "s3:GetObjectVersion",
            "s3:GetObjectVersionTagging",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
            "s3:PutObjectTagging",
        ];
        let invalidate =
            ["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation", "cloudfront:ListTagsForResource"];
        let other = json!({
            "Sid": "NoOtherAccount", "Effect": "Deny", "Action": "s3:*", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:ResourceAccount": self.site.account.as_str()}},
        });
        vec![
            Self::allow("PublishObjects", &objects, self.both("/*")),
            Self::allow(
                "ListObjects",
                &["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"],
                self.both(""),
            ),
            Self::allow("Invalidate", &invalidate, self.global("cloudfront", "distribution/*")),
            Self::allow("FindDistribution", &["cloudfront:ListDistributions"], "*"),
            other,
        ]
    }

    /// `apply` and `destroy`, beside what readers and publishers may.
    fn applier(&self) -> Vec<Value> {
        let buckets = [
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:DeleteBucketPolicy",
            "s3:ListBucketVersions",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutBucketWebsite",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:PutReplicationConfiguration",
        ];
        let role = [
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UpdateAssumeRolePolicy",
        ];
        let front = [
            "cloudfront:CreateDistribution",
            "cloudfront:CreateFunction",
            "cloudfront:CreateOriginAccessControl",
            "cloudfront:DeleteDistribution",
            "cloudfront:DeleteFunction",
            "cloudfront:DeleteOriginAccessControl",
            "cloudfront:GetOriginAccessControl",
            "cloudfront:PublishFunction",
            "cloudfront:TagResource",
            "cloudfront:UpdateDistribution",
            "cloudfront:UpdateFunction",
            "cloudfront:UpdateOriginAccessControl",
        ];
        let front_arns = ["distribution/*", "origin-access-control/*"].map(|all| self.global("cloudfront", all));
        let function = self.global("cloudfront", &format!("function/twinsite-{}", self.site.slug()));
        let front_arns: Vec<String> = front_arns.into_iter().chain([function]).collect();
        let certificates =
            ["acm:AddTagsToCertificate", "acm:DeleteCertificate", "acm:ImportCertificate", "acm:RequestCertificate"];
        let checks = [
            "route53:ChangeTagsForResource",
            "route53:CreateHealthCheck",
            "route53:DeleteHealthCheck",
            "route53:GetChange",
            "route53:UpdateHealthCheck",
        ];
        let pass = json!({
            "Sid": "PassRole", "Effect": "Allow", "Action": "iam:PassRole", "Resource": self.roles(),
            "Condition": {
                "StringEquals": {"iam:PassedToService": ["batchoperations.s3.amazonaws.com", "s3.amazonaws.com"]},
            },
        });
        let certificates = json!({
            "Sid": "Certificates", "Effect": "Allow", "Action": certificates, "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        });
        vec![
            Self::allow("Buckets", &buckets, [self.both(""), self.former("")].concat()),
            Self::allow("Versions", &["s3:DeleteObjectVersion"], self.former("/*")),
            Self::allow("BatchJobs", &["s3:CreateJob", "s3:DescribeJob"], "*"),
            Self::allow("ReplicationRole", &role, self.roles()),
            pass,
            Self::allow("FrontDoor", &front, front_arns),
            certificates,
            self.records(),
            Self::allow(
                "Alarms",
                &["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"],
                self.alarms(),
            ),
            Self::allow(
                "Topics",
                &[
                    "sns:CreateTopic",
                    "sns:DeleteTopic",
                    "sns:Subscribe",
                    "sns:TagResource",
                    "sns:Unsubscribe",
                    "sns:UntagResource",
                ],
                self.topics(),
            ),
            Self::allow("HealthChecks", &checks, "*"),
        ]
    }

    /// This site's names only, whatever else is in the zone.
    /// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html>
    fn records(&self) -> Value {
        let domain = self.site.domain.as_str();
        json!({
            "Sid": "Records", "Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": self.zone_arn(),
            "Condition": {
                "ForAllValues:StringLike": {
                    "route53:ChangeResourceRecordSetsNormalizedRecordNames": [domain, format!("_*.{domain}")],
                },
                "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME"]},
            },
        })
    }

    /// Switching by hand: one object in the backup bucket, and nothing else that could be down.
    fn operator(&self) -> Vec<Value> {
        if self.site.mode == Mode::Origin {
            return self.drill().into_iter().chain(self.reader()).collect();
        }
        let stop = format!("{}/{}", self.buckets().get(Side::Backup), probe::STOP);
        let switch = Self::allow("StopObject", &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], stop);
        std::iter::once(switch).chain(self.drill()).chain(self.reader()).collect()
    }

    /// What a drill breaks and puts back, and where it writes that down.
    fn drill(&self) -> Vec<Value> {
        let Pair { primary, backup } = self.buckets();
        let breaks = ["s3:DeleteBucketPolicy", "s3:DeleteBucketWebsite", "s3:PutBucketPolicy", "s3:PutBucketWebsite"];
        let journal = format!("{backup}/{JOURNAL}");
        vec![
            Self::allow("DrillPrimary", &breaks, primary),
            Self::allow("DrillJournal", &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], journal),
        ]
    }
}
