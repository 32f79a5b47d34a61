//! Least-privilege IAM policies for each role, computed from the configuration.
//!
//! Which action belongs to which operation: <https://docs.aws.amazon.com/service-authorization/latest/reference/>.

use serde_json::{Value, json};
use twinsite_core::{AccountId, Mode, Pair, Side, Site, probe};
use twinsite_s3_site::DRILL_JOURNAL_KEY;

use crate::config::Config;
use crate::error::{Context, Error};

const OPERATION: &str = "compute the policy";

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// `plan`, `status`, `verify`.
    Reader,
    /// `deploy`.
    Publisher,
    /// `apply`, `destroy`, and all of the above.
    Applier,
    /// `drill`, `failover`, `failback`, and reading.
    Operator,
}

/// The permissions policy of a role.
///
/// # Errors
/// Regions that cannot be paired.
pub fn policy(config: &Config, account: AccountId, kind: PolicyKind) -> Result<Value, Error> {
    let site = Site::new(config.domain.clone(), config.mode, account, config.regions.clone());
    let site = site.context("use the configuration")?;
    config.check_encryption().context("use the configuration")?;
    let zone = config.dns.zone_id.as_ref().map_or("*", |id| id.as_str());
    let keys = config.kms_key_arns(&site);
    Ok(document(&Policy { site: &site, zone, keys }.statements(kind)))
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The trust policy of a role that GitHub Actions workflows of one repository and environment assume.
/// <https://docs.github.com/en/actions/security-for-github-actions/security-hardening-your-deployments/configuring-openid-connect-in-amazon-web-services>
///
/// # Errors
/// A repository or environment that is empty or contains a pattern.
pub fn github_trust_policy(account: &AccountId, repository: &str, environment: &str) -> Result<Value, Error> {
    let parts: Vec<&str> = repository.split('/').collect();
    let plain = |part: &&str| !part.is_empty() && !part.contains(['*', '?', ':', ' ']);
    if parts.len() != 2 || !parts.iter().all(plain) || !plain(&environment) {
        let why = format!("`{repository}` is not ORG/REPO: a pattern would admit other repositories");
        return Err(Error::usage(OPERATION, why));
    }
    let issuer = "token.actions.githubusercontent.com";
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

/// Read access to a hosted zone.
const ZONE: [&str; 3] =
    ["route53:GetHostedZone", "route53:ListResourceRecordSetProtections", "route53:ListResourceRecordSets"];

struct Policy<'a> {
    site: &'a Site,
    zone: &'a str,
    /// The keys of KMS that objects are encrypted with, by their ARNs.
    keys: Option<Pair<String>>,
}

impl Policy<'_> {
    fn statements(&self, kind: PolicyKind) -> Vec<Value> {
        match kind {
            PolicyKind::Reader => self.reader(),
            PolicyKind::Publisher => self.publisher(),
            PolicyKind::Applier => {
                // A managed policy has at most 6,144 characters, so statements are not repeated.
                let mut all = [self.reader(), self.publisher(), self.applier()].concat();
                all.retain(|statement| {
                    !["FindDistribution", "ReadKeys", "ReadObjects"]
                        .contains(&statement["Sid"].as_str().unwrap_or_default())
                });
                all
            }
            PolicyKind::Operator => self.operator(),
        }
    }

    fn buckets(&self) -> Pair<String> {
        self.site.buckets.as_ref().map(|bucket| format!("arn:aws:s3:::{bucket}"))
    }

    fn both(&self, tail: &str) -> Vec<String> {
        self.buckets().iter().map(|(_, arn)| format!("{arn}{tail}")).collect()
    }

    /// Buckets of other modes.
    fn former(&self, tail: &str) -> Vec<String> {
        self.site.former_buckets().iter().map(|(_, bucket)| format!("arn:aws:s3:::{bucket}{tail}")).collect()
    }

    fn allow(sid: &str, actions: &[&str], resources: impl Into<Value>) -> Value {
        json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources.into()})
    }

    /// What reading or writing objects needs of the keys of KMS that they are encrypted with. Uploads in parts are decrypted when they are
    /// completed.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
    fn use_keys(&self, sid: &str, actions: &[&str]) -> Option<Value> {
        let keys: Vec<&String> = self.keys.as_ref()?.iter().map(|(_, key)| key).collect();
        let services = self.site.regions.as_ref().map(|region| format!("s3.{region}.amazonaws.com"));
        let services: Vec<&String> = services.iter().map(|(_, service)| service).collect();
        Some(json!({
            "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": keys,
            "Condition": {"StringEquals": {"kms:ViaService": services}},
        }))
    }

    /// The ARN of a resource of this account in a global service.
    fn global(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}::{}:{resource}", self.site.account)
    }

    fn role_arn(&self) -> String {
        self.global("iam", &format!("role/twinsite/twinsite-{}-replication", self.site.slug()))
    }

    /// The roles of replication and of batch jobs.
    fn roles(&self) -> Vec<String> {
        let batch = self.global("iam", &format!("role/twinsite/twinsite-{}-batch", self.site.slug()));
        vec![self.role_arn(), batch]
    }

    /// `plan`, `status` and `verify`: configuration, listings and objects, read-only.
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
        let keys = self.use_keys("ReadKeys", &["kms:Decrypt"]);
        let statements = vec![
            Self::allow("ReadBuckets", &settings, [self.both(""), self.former("")].concat()),
            // Comparisons read object headers, and release records are objects.
            Self::allow("ReadObjects", &["s3:GetObject", "s3:GetObjectVersion"], self.both("/*")),
            Self::allow("ReadRole", &["iam:GetRole", "iam:GetRolePolicy"], self.roles()),
            Self::allow("ReadAlarms", &["cloudwatch:ListTagsForResource"], self.alarms()),
            Self::allow("ReadTopics", &["sns:ListSubscriptionsByTopic", "sns:ListTagsForResource"], self.topics()),
            Self::allow("ReadZone", &ZONE, self.zone_arn()),
            // These support no resource types, or list all resources.
            Self::allow("ListAndDescribe", &everywhere, "*"),
        ];
        statements.into_iter().chain(keys).collect()
    }

    /// The alarms of this site in every region.
    fn alarms(&self) -> String {
        format!("arn:aws:cloudwatch:*:{}:alarm:twinsite-{}-*", self.site.account, self.site.slug())
    }

    fn topics(&self) -> String {
        format!("arn:aws:sns:*:{}:twinsite-{}", self.site.account, self.site.slug())
    }

    fn zone_arn(&self) -> String {
        format!("arn:aws:route53:::hostedzone/{}", self.zone)
    }

    /// `deploy`: objects of the two buckets and invalidations; no configuration.
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
        let keys = self.use_keys("EncryptObjects", &["kms:Decrypt", "kms:GenerateDataKey"]);
        let statements = vec![
            Self::allow("PublishObjects", &objects, self.both("/*")),
            Self::allow(
                "ListObjects",
                &["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"],
                self.both(""),
            ),
            Self::allow("Invalidate", &invalidate, self.global("cloudfront", "distribution/*")),
            Self::allow("FindDistribution", &["cloudfront:ListDistributions"], "*"),
            other,
        ];
        statements.into_iter().chain(keys).collect()
    }

    /// `apply` and `destroy`, in addition to readers and publishers.
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
            "s3:TagResource",
        ];
        let role = [
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UpdateAssumeRolePolicy",
        ];
        let distribution = [
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
        let distribution_arns = ["distribution/*", "origin-access-control/*"].map(|all| self.global("cloudfront", all));
        let function = self.global("cloudfront", &format!("function/twinsite-{}", self.site.slug()));
        let distribution_arns: Vec<String> = distribution_arns.into_iter().chain([function]).collect();
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
            Self::allow("Distribution", &distribution, distribution_arns),
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

    /// Record sets of this site's names only.
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

    /// Failover by hand: the switch object in the backup bucket; and drills.
    fn operator(&self) -> Vec<Value> {
        if self.site.mode == Mode::Origin {
            return self.drill().into_iter().chain(self.reader()).collect();
        }
        let switch_object = format!("{}/{}", self.buckets().get(Side::Backup), probe::STOP);
        let switch = Self::allow("FailoverSwitch", &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], switch_object);
        std::iter::once(switch).chain(self.drill()).chain(self.reader()).collect()
    }

    /// What a drill breaks and restores, and its journal.
    fn drill(&self) -> Vec<Value> {
        let Pair { primary, backup } = self.buckets();
        let breaks = ["s3:DeleteBucketPolicy", "s3:DeleteBucketWebsite", "s3:PutBucketPolicy", "s3:PutBucketWebsite"];
        let journal = format!("{backup}/{DRILL_JOURNAL_KEY}");
        vec![
            Self::allow("DrillPrimary", &breaks, primary),
            Self::allow("DrillJournal", &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], journal),
        ]
    }
}
