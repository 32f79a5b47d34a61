//! Least-privilege IAM policies for each role, computed from the configuration.
//!
//! Which action belongs to which operation: <https://docs.aws.amazon.com/service-authorization/latest/reference/>.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use twinsite_aws::Owner;
use twinsite_core::{AccountId, Mode, Pair, Side, Site, probe};
use twinsite_dns_failover::ZoneId;
use twinsite_s3_site::{ALIAS_RECORD_KEY, DRILL_JOURNAL_KEY, REPLICATION_PROBE_KEY, STORE_RECORD_KEY};

use crate::config::Config;
use crate::drill::DRILL_RECORDS;
use crate::error::{Context, Error};
use crate::policy_document::{PolicyDocument, split};
use crate::standby_policy;

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyKind {
    /// `plan`, `status`, `doctor`, `verify`, `releases`, `drills`.
    Reader,
    /// `deploy`, `rollback`, `backfill` by copying, `verify`, `releases`, `drills`.
    Publisher,
    /// `apply`, `destroy`, `cert import`, `backfill` by a batch job, and all of the above.
    Applier,
    /// `drill`, `failover`, `failback`, and reading.
    Operator,
    /// The permissions boundary of the roles that twinsite creates. It is not for a person, but for
    /// [`Config::permissions_boundary`].
    Boundary,
}

impl PolicyKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Publisher => "publisher",
            Self::Applier => "applier",
            Self::Operator => "operator",
            Self::Boundary => "boundary",
        }
    }
}

/// The permissions policy of a role, as one or more managed policies that are all attached to it.
///
/// # Errors
/// Regions that cannot be paired.
pub fn policy(config: &Config, account: AccountId, kind: PolicyKind) -> Result<Vec<PolicyDocument>, Error> {
    let site = config.site(account).context("use the configuration")?;
    config.check_encryption().context("use the configuration")?;
    let policy = Policy { site: &site, config, keys: config.kms_key_arns(&site) };
    let mut name = format!("twinsite-{}-{}", site.slug(), kind.as_str());
    if let Some(prefix) = &config.publish.prefix {
        if kind != PolicyKind::Publisher {
            let why = format!("the role {} has no policy for a prefix: only publishers have one", kind.as_str());
            return Err(Error::usage("make the policy", why));
        }
        let letters = prefix.as_str().trim_end_matches('/').chars();
        name.push('-');
        name.extend(letters.map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(32));
    }
    Ok(split(&name, policy.statements(kind)))
}

/// What a publish does with objects. Parts that were uploaded are recognised by their tags.
const PUBLISH: [&str; 10] = [
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

/// Read access to a hosted zone.
const ZONE: [&str; 3] =
    ["route53:GetHostedZone", "route53:ListResourceRecordSetProtections", "route53:ListResourceRecordSets"];

/// Read access to a key value store.
const READ_STORE: [&str; 4] = [
    "cloudfront-keyvaluestore:DescribeKeyValueStore",
    "cloudfront-keyvaluestore:GetKey",
    "cloudfront:DescribeKeyValueStore",
    "cloudfront:ListTagsForResource",
];

/// What a publish does with the redirect table.
const PUBLISH_REDIRECTS: [&str; 5] = [
    "cloudfront-keyvaluestore:DescribeKeyValueStore",
    "cloudfront-keyvaluestore:GetKey",
    "cloudfront-keyvaluestore:ListKeys",
    PUT_KEYS,
    "cloudfront:DescribeKeyValueStore",
];

/// `apply` puts the keys of a new store, everybody who publishes the redirect table, and operators the origin choice. That publishers may not
/// fail over guards against mistakes: whoever may put keys may put any.
const PUT_KEYS: &str = "cloudfront-keyvaluestore:UpdateKeys";
const PUT_KEY_BY_HAND: &str = "cloudfront-keyvaluestore:PutKey";

struct Policy<'a> {
    site: &'a Site,
    config: &'a Config,
    /// The keys of KMS that objects are encrypted with, by their ARNs.
    keys: Option<Pair<String>>,
}

impl Policy<'_> {
    fn statements(&self, kind: PolicyKind) -> Vec<Value> {
        match kind {
            PolicyKind::Reader => self.reader(),
            PolicyKind::Publisher => [self.publisher(), self.publisher_limits()].concat(),
            PolicyKind::Applier => self.applier(),
            PolicyKind::Operator => self.operator(),
            PolicyKind::Boundary => self.boundary(),
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

    /// The roles that replication and batch jobs assume.
    fn roles(&self) -> Vec<String> {
        if let Some(own) = &self.config.replication_role {
            return vec![own.to_string()];
        }
        let role = |name| self.global("iam", &format!("role/twinsite/twinsite-{}-{name}", self.site.slug()));
        vec![role("replication"), role("batch")]
    }

    /// The ARN of the bucket for logs of CloudFront, if one is configured.
    fn log_bucket(&self) -> Option<String> {
        let logging = self.config.cdn.owner_settings.logging.value()?;
        Some(format!("arn:{}:s3:::{}", self.site.regions.primary.partition(), logging.bucket))
    }

    /// What CloudFront asks of the caller who gives a distribution a web ACL, or has it log to a bucket.
    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awswafv2.html>,
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html>
    fn owner_settings(&self) -> Vec<Value> {
        let settings = &self.config.cdn.owner_settings;
        let mut all = Vec::new();
        if let Some(arn) = settings.web_acl.value() {
            all.push(Self::allow("WebAcl", &["wafv2:GetWebACL"], arn.as_str()));
        }
        if let Some(bucket) = self.log_bucket() {
            all.push(Self::allow("LogBucket", &["s3:GetBucketAcl", "s3:PutBucketAcl"], bucket));
        }
        all
    }

    /// `plan`, `status`, `verify` and `releases`: configuration, listings and objects, read-only.
    fn reader(&self) -> Vec<Value> {
        let everywhere = [
            "acm:ListCertificates",
            "cloudwatch:DescribeAlarms",
            "cloudfront:ListDistributions",
            "cloudfront:ListOriginAccessControls",
            "route53:GetHealthCheckStatus",
            "route53:ListHealthChecks",
            "route53:ListHostedZones",
            "route53:ListTagsForResources",
            "s3:GetAccountPublicAccessBlock",
        ];
        let certificates = self.in_account("acm", "us-east-1", "certificate/*");
        let (distribution, function) = (
            ["cloudfront:GetDistribution", "cloudfront:GetDistributionConfig", "cloudfront:ListTagsForResource"],
            ["cloudfront:DescribeFunction", "cloudfront:GetFunction", "cloudfront:ListTagsForResource"],
        );
        let mut all = self.read_buckets();
        all.extend([
            // Comparisons read object headers, and release records are objects.
            Self::allow("ReadObjects", &["s3:GetObject", "s3:GetObjectVersion"], self.both("/*")),
            Self::allow("ReadCertificates", &["acm:DescribeCertificate", "acm:ListTagsForCertificate"], certificates),
            Self::allow("ReadDistribution", &distribution, self.global("cloudfront", "distribution/*")),
            Self::allow("ReadFunction", &function, self.function()),
            self.of_stores("ReadStore", &READ_STORE),
            Self::allow("ReadAlarms", &["cloudwatch:ListTagsForResource"], self.alarms()),
            Self::allow("ReadTopics", &["sns:ListSubscriptionsByTopic", "sns:ListTagsForResource"], self.topics()),
            Self::allow("ReadZone", &ZONE, self.zone_arns()),
            // These support no resource types, or list all resources.
            Self::allow("ListAndDescribe", &everywhere, "*"),
        ]);
        if let Some(bucket) = self.log_bucket() {
            let actions = ["s3:GetBucketOwnershipControls", "s3:ListBucket"];
            all.push(Self::allow("ReadLogBucket", &actions, bucket));
        }
        all.extend(standby_policy::reader(self.site, self.config));
        all.extend(self.use_keys("ReadKeys", &["kms:Decrypt"]));
        all
    }

    /// The settings of the buckets and the replication role, which every command reads that changes anything.
    fn read_buckets(&self) -> Vec<Value> {
        let settings = [
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
        let buckets = [self.both(""), self.former(""), self.redirects("")].concat();
        let mut all = vec![Self::allow("ReadBuckets", &settings, buckets)];
        if self.config.replication_role.is_none() {
            // A request names a role without its path, so that this is not known of a role that does not exist.
            let without_path = self.roles().into_iter().map(|role| role.replace("role/twinsite/", "role/"));
            let roles: Vec<String> = self.roles().into_iter().chain(without_path).collect();
            all.push(Self::allow("ReadRole", &["iam:GetRole", "iam:GetRolePolicy"], roles));
        }
        all
    }

    /// The ARN of a resource of this account in one region.
    fn in_account(&self, service: &str, region: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{region}:{}:{resource}", self.site.account)
    }

    /// Actions on key value stores. The ARN of the site's has an id that is not known in advance, and the service documents no condition
    /// by tags, so that these are allowed on every store of the account.
    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfrontkeyvaluestore.html>
    fn of_stores(&self, sid: &str, actions: &[&str]) -> Value {
        Self::allow(sid, actions, self.global("cloudfront", "key-value-store/*"))
    }

    fn function(&self) -> String {
        self.global("cloudfront", &format!("function/twinsite-{}", self.site.slug()))
    }

    /// The alarms of this site in every region.
    fn alarms(&self) -> String {
        format!("arn:aws:cloudwatch:*:{}:alarm:twinsite-{}-*", self.site.account, self.site.slug())
    }

    fn topics(&self) -> String {
        format!("arn:aws:sns:*:{}:twinsite-{}", self.site.account, self.site.slug())
    }

    /// The hosted zones of the names; all of the account, unless each name has a configured one.
    fn zone_arns(&self) -> Value {
        let dns = &self.config.dns;
        let ids: Option<BTreeSet<&ZoneId>> = std::iter::once(dns.zone_id.as_ref())
            .chain(self.site.aliases.iter().map(|alias| dns.alias_zones.get(alias)))
            .collect();
        let arn = |id: &str| format!("arn:aws:route53:::hostedzone/{id}");
        let arns: Vec<String> = match ids {
            Some(ids) => ids.into_iter().map(|id| arn(id.as_str())).collect(),
            None => vec![arn("*")],
        };
        if arns.len() == 1 { arns[0].clone().into() } else { arns.into() }
    }

    /// The buckets that bear the names of aliases. A mode without DNS failover reads and deletes what another one has left.
    fn redirects(&self, tail: &str) -> Vec<String> {
        self.site.aliases.iter().map(|alias| format!("arn:aws:s3:::{alias}{tail}")).collect()
    }

    /// Invalidations of the site's distribution.
    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfront.html>
    fn invalidate(&self, actions: &[&str]) -> Value {
        json!({
            "Sid": "Invalidate", "Effect": "Allow", "Action": actions,
            "Resource": self.global("cloudfront", "distribution/*"),
            "Condition": {"StringEquals": {format!("aws:ResourceTag/{}", Owner::SITE): self.site.domain.as_str()}},
        })
    }

    /// `deploy`, `rollback` and `backfill`: objects of the two buckets and invalidations; of the configuration, only reading.
    fn publisher(&self) -> Vec<Value> {
        let invalidate = self.invalidate(&["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"]);
        let distributions = ["cloudfront:GetDistribution", "cloudfront:ListTagsForResource"];
        let mut all = self.read_buckets();
        all.extend(self.publish_objects());
        all.extend([
            Self::allow("ListUploads", &["s3:ListBucketMultipartUploads"], self.both("")),
            invalidate,
            Self::allow("ReadDistribution", &distributions, self.global("cloudfront", "distribution/*")),
            Self::allow("List", &["cloudfront:ListDistributions", "s3:GetAccountPublicAccessBlock"], "*"),
        ]);
        // Redirect rules are those of the main site.
        if self.site.mode != Mode::Dns && self.config.publish.prefix.is_none() {
            all.push(self.of_stores("Redirects", &PUBLISH_REDIRECTS));
        }
        all.extend(self.encrypt_objects());
        all
    }

    /// The objects of the buckets; or those of a prefix and its records, and of the main site's records those that say which side is active,
    /// and what the main site has below the prefix.
    fn publish_objects(&self) -> Vec<Value> {
        let Some(prefix) = &self.config.publish.prefix else {
            return vec![Self::allow("PublishObjects", &PUBLISH, self.both("/*"))];
        };
        let resources = |keys: &[String]| keys.iter().flat_map(|key| self.both(&format!("/{key}"))).collect::<Vec<_>>();
        let own = resources(&[format!("{prefix}*"), format!("{}*", prefix.records())]);
        let records = resources(&[
            ".twinsite/active/*".to_owned(),
            ".twinsite/ledger/*".to_owned(),
            ".twinsite/lock*".to_owned(),
            ".twinsite/owed".to_owned(),
        ]);
        vec![Self::allow("PublishObjects", &PUBLISH, own), Self::allow("ReadMainRecords", &["s3:GetObject"], records)]
    }

    fn encrypt_objects(&self) -> Option<Value> {
        self.use_keys("EncryptObjects", &["kms:Decrypt", "kms:GenerateDataKey"])
    }

    /// What a publisher may not write although it is in the buckets: what health checks request, the failover switch among it, the record
    /// of the key value store, and the journal and the records of drills. Only a deny can except keys from the objects of a bucket.
    fn publisher_limits(&self) -> Vec<Value> {
        let writes = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"];
        let reserved = [
            format!("{}*", probe::FOLDER),
            DRILL_JOURNAL_KEY.to_owned(),
            format!("{DRILL_RECORDS}*"),
            STORE_RECORD_KEY.to_owned(),
            ALIAS_RECORD_KEY.to_owned(),
        ];
        let reserved: Vec<String> = reserved.iter().flat_map(|key| self.both(&format!("/{key}"))).collect();
        vec![
            json!({"Sid": "ReservedObjects", "Effect": "Deny", "Action": writes, "Resource": reserved}),
            json!({
                "Sid": "NoOtherAccount", "Effect": "Deny", "Action": "s3:*", "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:ResourceAccount": self.site.account.as_str()}},
            }),
        ]
    }

    /// `apply`, `destroy` and `cert import`; and all that readers and publishers may do.
    fn applier(&self) -> Vec<Value> {
        let buckets = [
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:DeleteBucketPolicy",
            "s3:DeleteBucketWebsite",
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
        let distribution = [
            "cloudfront:CreateDistribution",
            "cloudfront:CreateInvalidation",
            "cloudfront:DeleteDistribution",
            "cloudfront:DeleteOriginAccessControl",
            "cloudfront:GetInvalidation",
            "cloudfront:GetOriginAccessControl",
            "cloudfront:TagResource",
            "cloudfront:UpdateDistribution",
            "cloudfront:UpdateOriginAccessControl",
        ];
        let distributions = ["distribution/*", "origin-access-control/*"].map(|all| self.global("cloudfront", all));
        let function = ["cloudfront:DeleteFunction", "cloudfront:PublishFunction", "cloudfront:UpdateFunction"];
        // These have no resource types: only `*` matches.
        let create = [
            "acm:RequestCertificate",
            "cloudfront:CreateFunction",
            "cloudfront:CreateKeyValueStore",
            "cloudfront:CreateOriginAccessControl",
            "route53:CreateHealthCheck",
            "s3:CreateJob",
        ];
        let certificates = ["acm:AddTagsToCertificate", "acm:DeleteCertificate", "acm:ImportCertificate"];
        let checks = ["route53:ChangeTagsForResource", "route53:DeleteHealthCheck", "route53:UpdateHealthCheck"];
        let checks = Self::allow("HealthChecks", &checks, "arn:aws:route53:::healthcheck/*");
        let alarms = ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"];
        let topics = [
            "sns:CreateTopic",
            "sns:DeleteTopic",
            "sns:Subscribe",
            "sns:TagResource",
            "sns:Unsubscribe",
            "sns:UntagResource",
        ];
        let jobs = self.in_account("s3", "*", "job/*");
        let owner_settings = self.owner_settings();
        let all_buckets = [self.both(""), self.former(""), self.redirects("")].concat();
        let former_objects = [self.former("/*"), self.redirects("/*")].concat();
        let mut all = self.reader();
        // What publishers may do with objects includes reading them.
        all.retain(|statement| statement["Sid"] != "ReadObjects" && statement["Sid"] != "ReadKeys");
        all.extend(self.encrypt_objects());
        all.extend(owner_settings);
        all.extend([
            Self::allow("PublishObjects", &PUBLISH, self.both("/*")),
            Self::allow("ListUploads", &["s3:ListBucketMultipartUploads"], all_buckets.clone()),
            Self::allow("Buckets", &buckets, all_buckets.clone()),
            Self::allow("FormerObjects", &["s3:AbortMultipartUpload", "s3:DeleteObjectVersion"], former_objects),
            Self::allow("Distribution", &distribution, distributions),
            Self::allow("Function", &function, self.function()),
            self.of_stores("Store", &["cloudfront:DeleteKeyValueStore", "cloudfront:TagResource"]),
            self.of_stores("StoreKeys", &["cloudfront-keyvaluestore:ListKeys", PUT_KEYS]),
            // A certificate that is imported or tagged while it is requested has no ARN yet.
            json!({
                "Sid": "Certificates", "Effect": "Allow", "Action": certificates, "Resource": "*",
                "Condition": {"StringEquals": {"aws:RequestedRegion": standby_policy::certificate_regions(self.site, self.config)}},
            }),
            Self::allow("Create", &create, "*"),
            self.records(),
            Self::allow("Changes", &["route53:GetChange"], "arn:aws:route53:::change/*"),
            checks,
            Self::allow("Alarms", &alarms, self.alarms()),
            Self::allow("Topics", &topics, self.topics()),
            Self::allow("BatchJobs", &["s3:DescribeJob"], jobs),
        ]);
        all.extend(self.manage_roles());
        all.extend(standby_policy::applier(self.site, self.config));
        // Failing over and drills are for operators. `destroy` deletes versions.
        let Pair { primary, backup } = self.buckets();
        let reserved = [
            format!("{backup}/{}", probe::STOP),
            format!("{backup}/{DRILL_JOURNAL_KEY}"),
            format!("{backup}/{DRILL_RECORDS}*"),
            format!("{primary}/{REPLICATION_PROBE_KEY}"),
        ];
        all.push(json!({
            "Sid": "ReservedObjects", "Effect": "Deny", "Action": ["s3:DeleteObject", "s3:PutObject"], "Resource": reserved,
        }));
        all
    }

    /// The roles that S3 assumes. They have a permissions boundary, so that whoever may create them and write their policies cannot
    /// give them, and with their trust policy themselves, more than the boundary allows.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>
    fn manage_roles(&self) -> Vec<Value> {
        let services = ["batchoperations.s3.amazonaws.com", "s3.amazonaws.com"];
        let pass = json!({
            "Sid": "PassRole", "Effect": "Allow", "Action": "iam:PassRole", "Resource": self.roles(),
            "Condition": {"StringEquals": {"iam:PassedToService": services}},
        });
        if self.config.replication_role.is_some() {
            return vec![pass];
        }
        let bounded = ["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"];
        let others = ["iam:DeleteRole", "iam:DeleteRolePolicy", "iam:TagRole", "iam:UpdateAssumeRolePolicy"];
        vec![
            json!({
                "Sid": "BoundedRoles", "Effect": "Allow", "Action": bounded, "Resource": self.roles(),
                "Condition": {"StringEquals": {"iam:PermissionsBoundary": self.boundary_arn()}},
            }),
            Self::allow("Roles", &others, self.roles()),
            pass,
        ]
    }

    fn boundary_arn(&self) -> String {
        let mut desired = twinsite_s3_site::Desired::new(self.site.clone());
        desired.permissions_boundary.clone_from(&self.config.permissions_boundary);
        desired.boundary_arn()
    }

    /// The most that the roles of replication and of batch jobs need.
    fn boundary(&self) -> Vec<Value> {
        let objects = [
            "s3:GetObjectVersionAcl",
            "s3:GetObjectVersionForReplication",
            "s3:GetObjectVersionTagging",
            "s3:InitiateReplication",
            "s3:ReplicateDelete",
            "s3:ReplicateObject",
            "s3:ReplicateTags",
        ];
        let settings = ["s3:GetReplicationConfiguration", "s3:ListBucket", "s3:PutInventoryConfiguration"];
        let reports = format!("{}/{}/*", self.buckets().get(Side::Primary), twinsite_s3_site::BATCH_REPORT_PREFIX);
        vec![
            Self::allow("ReplicateObjects", &objects, self.both("/*")),
            Self::allow("ReadReplication", &settings, self.both("")),
            Self::allow("BatchReports", &["s3:PutObject"], reports),
        ]
    }

    /// Record sets of this site's names only.
    /// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html>
    fn records(&self) -> Value {
        let names: Vec<String> = self.site.names().flat_map(|name| [name.to_string(), format!("_*.{name}")]).collect();
        json!({
            "Sid": "Records", "Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": self.zone_arns(),
            "Condition": {
                "ForAllValues:StringLike": {
                    "route53:ChangeResourceRecordSetsNormalizedRecordNames": names,
                },
                "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME"]},
            },
        })
    }

    /// Failover by hand: the switch object in the backup bucket, and the key value store; drills; and all that readers may do.
    fn operator(&self) -> Vec<Value> {
        let Pair { primary, backup } = self.buckets();
        let breaks = [
            "s3:DeleteBucketPolicy",
            "s3:DeleteBucketWebsite",
            "s3:PutBucketPolicy",
            "s3:PutBucketWebsite",
            "s3:PutReplicationConfiguration",
        ];
        let objects = [
            (self.site.mode != Mode::Origin).then(|| format!("{backup}/{}", probe::STOP)),
            Some(format!("{backup}/{DRILL_JOURNAL_KEY}")),
            Some(format!("{primary}/{REPLICATION_PROBE_KEY}")),
            Some(format!("{backup}/{REPLICATION_PROBE_KEY}")),
        ];
        let objects: Vec<String> = objects.into_iter().flatten().collect();
        // A replication rule names its role, also when it is disabled.
        let pass = json!({
            "Sid": "PassRole", "Effect": "Allow", "Action": "iam:PassRole", "Resource": self.roles()[0],
            "Condition": {"StringEquals": {"iam:PassedToService": "s3.amazonaws.com"}},
        });
        let mut all = self.reader();
        // A failback copies to the primary what was published while the backup was the active side, and nobody can tell copying from
        // publishing.
        all.retain(|statement| statement["Sid"] != "ReadObjects" && statement["Sid"] != "ReadKeys");
        all.extend(self.encrypt_objects());
        all.extend([
            Self::allow("PublishObjects", &PUBLISH, self.both("/*")),
            Self::allow("ListUploads", &["s3:ListBucketMultipartUploads"], self.both("")),
            Self::allow("DrillPrimary", &breaks, primary),
            Self::allow("SwitchAndJournal", &["s3:DeleteObject", "s3:PutObject"], objects),
            pass,
            self.invalidate(&["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"]),
        ]);
        if self.site.mode != Mode::Dns {
            all.push(self.of_stores("StoreKeys", &["cloudfront-keyvaluestore:ListKeys", PUT_KEY_BY_HAND, PUT_KEYS]));
        }
        all
    }
}

#[cfg(test)]
mod tests;
