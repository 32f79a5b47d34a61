//! Breaking the primary on purpose, so that it can be put back exactly as it was.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use twinsite_aws::AwsError;
use twinsite_core::{BucketName, Invalid, Mode, Side, Site, probe};

use crate::S3Site;
use crate::policy::DRILL;
use crate::wire::replication;
use crate::wire::website_doc::WebsiteDoc;

/// How the primary is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Its website hosting is turned off, as in the recipe: visitors get 404.
    Website,
    /// A policy denies its objects to everybody outside the account: visitors get 403.
    Policy,
    /// The stop object is put: the primary works, but health checks say that it does not.
    StopObject,
    /// Replication is turned off: the backup falls behind.
    Replication,
}

impl How {
    /// The word used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Website => "website",
            Self::Policy => "policy",
            Self::StopObject => "stop-object",
            Self::Replication => "replication",
        }
    }

    /// What fits a mode: what its failover notices.
    pub fn of(mode: Mode) -> Self {
        match mode {
            Mode::Dns | Mode::Layered => Self::Website,
            Mode::Origin => Self::Policy,
        }
    }

    /// False where this would break nothing: private buckets have no website, and CloudFront knows no stop object.
    pub fn fits(self, mode: Mode) -> bool {
        match self {
            Self::Website | Self::StopObject => mode.public_buckets(),
            Self::Policy | Self::Replication => true,
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for How {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let all = [Self::Website, Self::Policy, Self::StopObject, Self::Replication];
        let rule = "is not one of `website`, `policy`, `stop-object`, `replication`";
        all.into_iter().find(|how| how.as_str() == text).ok_or_else(|| Invalid::new("way to break", text, rule))
    }
}

/// What puts the primary back, whatever happened in between. It is written down before anything is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum Undo {
    /// The website configuration that was there.
    Website {
        /// All of it.
        website: WebsiteDoc,
    },
    /// The policy that was there.
    Policy {
        /// Its text; `None` when there was none.
        policy: Option<String>,
    },
    /// The stop object is deleted.
    StopObject,
    /// The rules that were on.
    Replication {
        /// Their ids.
        rules: Vec<String>,
    },
}

impl Undo {
    /// How the primary is broken.
    pub fn how(&self) -> How {
        match self {
            Self::Website { .. } => How::Website,
            Self::Policy { .. } => How::Policy,
            Self::StopObject => How::StopObject,
            Self::Replication { .. } => How::Replication,
        }
    }
}

impl S3Site {
    /// What will put the primary back. Reads only.
    ///
    /// # Errors
    /// [`AwsError`] when the setting could not be looked at, or is not there to be broken.
    pub async fn undo(&self, site: &Site, how: How) -> Result<Undo, AwsError> {
        let (client, bucket) = (self.clients.get(Side::Primary), &site.buckets.primary);
        match how {
            How::Website => {
                let answer = client.get_bucket_website().bucket(bucket.as_str()).send().await;
                let answer = answer.map_err(|error| AwsError::new("GetBucketWebsite", bucket, error))?;
                Ok(Undo::Website { website: WebsiteDoc::of(&answer) })
            }
            How::Policy => Ok(Undo::Policy { policy: self.policy(bucket).await? }),
            How::StopObject => Ok(Undo::StopObject),
            How::Replication => {
                let answer = client.get_bucket_replication().bucket(bucket.as_str()).send().await;
                let answer = answer.map_err(|error| AwsError::new("GetBucketReplication", bucket, error))?;
                let rules = answer.replication_configuration.as_ref().map(replication::switched_on).unwrap_or_default();
                Ok(Undo::Replication { rules })
            }
        }
    }

    /// Breaks the primary. Again does nothing more.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be broken.
    pub async fn break_primary(&self, site: &Site, undo: &Undo) -> Result<(), AwsError> {
        let (client, bucket) = (self.clients.get(Side::Primary), &site.buckets.primary);
        match undo {
            Undo::Website { .. } => {
                let answer = client.delete_bucket_website().bucket(bucket.as_str()).send().await;
                answer.map(drop).map_err(|error| AwsError::new("DeleteBucketWebsite", bucket, error))
            }
            Undo::Policy { policy } => self.put_policy(bucket, &denying(site, policy.as_deref())?).await,
            Undo::StopObject => self.stop(site).await,
            Undo::Replication { rules } => self.switch_rules(bucket, rules, false).await,
        }
    }

    /// Puts the primary back as it was. Harmless when nothing was broken.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be put back.
    pub async fn restore(&self, site: &Site, undo: &Undo) -> Result<(), AwsError> {
        let (client, bucket) = (self.clients.get(Side::Primary), &site.buckets.primary);
        match undo {
            Undo::Website { website } => {
                let unfit = |error| AwsError::unexpected("PutBucketWebsite", bucket, error);
                let put = client.put_bucket_website().bucket(bucket.as_str());
                let put = put.website_configuration(website.configuration().map_err(unfit)?);
                put.send().await.map(drop).map_err(|error| AwsError::new("PutBucketWebsite", bucket, error))
            }
            Undo::Policy { policy: Some(policy) } => self.put_policy(bucket, policy).await,
            Undo::Policy { policy: None } => {
                let answer = client.delete_bucket_policy().bucket(bucket.as_str()).send().await;
                answer.map(drop).map_err(|error| AwsError::new("DeleteBucketPolicy", bucket, error))
            }
            Undo::StopObject => self.resume(site).await,
            Undo::Replication { rules } => self.switch_rules(bucket, rules, true).await,
        }
    }

    /// The version of the object that health checks ask for: what tells the two sides apart.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be looked at.
    pub async fn probe_version(&self, site: &Site, side: Side) -> Result<Option<String>, AwsError> {
        let (client, bucket) = (self.clients.get(side), site.buckets.get(side));
        let head = client.head_object().bucket(bucket.as_str()).key(probe::HEALTH).send().await;
        let head = head.map_err(|error| AwsError::new("HeadObject", format!("{bucket}/{}", probe::HEALTH), error));
        Ok(AwsError::absent(head)?.and_then(|head| head.version_id))
    }

    async fn policy(&self, bucket: &BucketName) -> Result<Option<String>, AwsError> {
        let answer = self.clients.get(Side::Primary).get_bucket_policy().bucket(bucket.as_str()).send().await;
        let answer = AwsError::absent(answer.map_err(|error| AwsError::new("GetBucketPolicy", bucket, error)))?;
        Ok(answer.and_then(|answer| answer.policy))
    }

    async fn put_policy(&self, bucket: &BucketName, text: &str) -> Result<(), AwsError> {
        let put = self.clients.get(Side::Primary).put_bucket_policy().bucket(bucket.as_str()).policy(text);
        put.send().await.map(drop).map_err(|error| AwsError::new("PutBucketPolicy", bucket, error))
    }

    async fn switch_rules(&self, bucket: &BucketName, ids: &[String], on: bool) -> Result<(), AwsError> {
        let client = self.clients.get(Side::Primary);
        let answer = client.get_bucket_replication().bucket(bucket.as_str()).send().await;
        let answer = answer.map_err(|error| AwsError::new("GetBucketReplication", bucket, error))?;
        let Some(mut all) = answer.replication_configuration else { return Ok(()) };
        if !replication::switch(&mut all, ids, on) {
            return Ok(());
        }
        let put = client.put_bucket_replication().bucket(bucket.as_str()).replication_configuration(all);
        put.send().await.map(drop).map_err(|error| AwsError::new("PutBucketReplication", bucket, error))
    }
}

/// The policy with a statement that keeps everybody out but this account.
fn denying(site: &Site, policy: Option<&str>) -> Result<String, AwsError> {
    let odd = |why: String| AwsError::unexpected("GetBucketPolicy", &site.buckets.primary, why);
    let empty = || json!({"Version": "2012-10-17", "Statement": []});
    let mut document: Value =
        policy.map_or_else(|| Ok(empty()), serde_json::from_str).map_err(|error| odd(error.to_string()))?;
    if !document.is_object() {
        return Err(odd("it is no policy document".to_owned()));
    }
    let arn = format!("arn:{}:s3:::{}/*", site.regions.primary.partition(), site.buckets.primary);
    let deny = json!({
        "Sid": DRILL, "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": arn,
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": site.account.as_str()}},
    });
    match &mut document["Statement"] {
        Value::Array(statements) => {
            statements.retain(|statement| statement["Sid"] != DRILL);
            statements.push(deny);
        }
        one @ Value::Object(_) => *one = json!([one.clone(), deny]),
        _ => return Err(odd("it has no statements".to_owned())),
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use twinsite_core::Pair;

    use super::*;

    #[test]
    fn the_drills_statement_comes_once_and_beside_the_others() {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let account = "111122223333".parse().unwrap();
        let site = Site::new("www.example.com".parse().unwrap(), Mode::Dns, account, regions).unwrap();
        let statement = r#"{"Sid":"Theirs","Effect":"Allow"}"#;
        let once = denying(&site, Some(&format!(r#"{{"Statement":{statement}}}"#))).unwrap();
        let twice = denying(&site, Some(&once)).unwrap();
        assert_eq!(once, twice);
        let document: Value = serde_json::from_str(&once).unwrap();
        assert_eq!(
            (document["Statement"][0]["Sid"].as_str(), document["Statement"].as_array().unwrap().len()),
            (Some("Theirs"), 2)
        );
        assert!(denying(&site, None).unwrap().contains("111122223333"));
        assert!(denying(&site, Some("[]")).is_err());
    }

    #[test]
    fn every_mode_has_a_way_that_fits() {
        for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
            assert!(How::of(mode).fits(mode));
        }
        assert!(!How::StopObject.fits(Mode::Origin) && "policy".parse::<How>() == Ok(How::Policy));
    }
}
