//! Who makes a request: users and sessions of roles, by their access keys.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html>

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use twinsite_aws::{EMBEDDED_ACCESS_KEY, EMBEDDED_SECRET_KEY};

use super::{Iam, IamRole, Keys};
use crate::context::{ACCOUNT, ServiceError, Tags};

/// The policies of a user or a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policies {
    /// The inline policies by name.
    pub inline: BTreeMap<String, String>,
    /// The ARNs of the managed policies that are attached.
    pub attached: BTreeSet<String>,
    /// The ARN of the managed policy that is the permissions boundary.
    pub boundary: Option<String>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IamUser {
    /// Its name.
    pub name: String,
    /// Its path, with slashes at both ends.
    pub path: String,
    /// Its unique id.
    pub id: String,
    /// Its policies.
    pub policies: Policies,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub created: SystemTime,
    /// The secrets of its access keys, by id.
    pub keys: BTreeMap<String, String>,
}

impl IamUser {
    /// The user's ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:user{}{}", self.path, self.name)
    }
}

/// A session of a role: temporary credentials from STS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The name of the role.
    pub role: String,
    /// The session's name.
    pub name: String,
    /// The secret access key.
    pub secret: String,
    /// The session token, which every request has.
    pub token: String,
    /// The session policies. If there are any, one of them must allow what is done.
    pub policies: Vec<String>,
    /// When the credentials end.
    pub expires: SystemTime,
}

impl Session {
    /// The ARN of the session.
    pub fn arn(&self) -> String {
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/{}/{}", self.role, self.name)
    }
}

/// Who makes a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Principal<'a> {
    /// The user whose credentials `--local` has. Nothing restricts it.
    Administrator,
    User(&'a IamUser),
    Session {
        session: &'a Session,
        role: &'a IamRole,
    },
}

impl Principal<'_> {
    /// The ARN as in `GetCallerIdentity`.
    pub(crate) fn arn(&self) -> String {
        match self {
            Self::Administrator => format!("arn:aws:iam::{ACCOUNT}:user/embedded"),
            Self::User(user) => user.arn(),
            Self::Session { session, .. } => session.arn(),
        }
    }

    /// The id as in `GetCallerIdentity`.
    pub(crate) fn user_id(&self) -> String {
        match self {
            Self::Administrator => "AIDAEMBEDDED".to_owned(),
            Self::User(user) => user.id.clone(),
            Self::Session { session, role } => format!("{}:{}", role.id, session.name),
        }
    }

    /// The ARN of the role that a session is of.
    pub(crate) fn role_arn(&self) -> Option<String> {
        match self {
            Self::Administrator | Self::User(_) => None,
            Self::Session { role, .. } => Some(role.arn()),
        }
    }

    /// The condition keys that follow from the principal.
    pub(crate) fn keys(&self) -> Keys {
        let keys = Keys::default()
            .with("aws:PrincipalAccount", ACCOUNT)
            .with("aws:PrincipalArn", self.role_arn().unwrap_or_else(|| self.arn()))
            .with("aws:PrincipalIsAWSService", "false")
            .with("aws:ViaAWSService", "false")
            .with("aws:userid", self.user_id());
        let tagged = |keys: Keys, tags: &Tags| {
            tags.iter().fold(keys, |keys, (key, value)| keys.with(&format!("aws:PrincipalTag/{key}"), value.as_str()))
        };
        match self {
            Self::Administrator => keys.with("aws:PrincipalType", "User").with("aws:username", "embedded"),
            Self::User(user) => {
                tagged(keys.with("aws:PrincipalType", "User").with("aws:username", user.name.as_str()), &user.tags)
            }
            Self::Session { role, .. } => tagged(keys.with("aws:PrincipalType", "AssumedRole"), &role.tags),
        }
    }
}

impl Iam {
    /// The secret of an access key.
    pub(crate) fn secret(&self, access_key: &str) -> Option<&str> {
        if access_key == EMBEDDED_ACCESS_KEY {
            return Some(EMBEDDED_SECRET_KEY);
        }
        let of_users = || self.users.values().find_map(|user| user.keys.get(access_key)).map(String::as_str);
        self.sessions.get(access_key).map(|session| session.secret.as_str()).or_else(of_users)
    }

    /// The principal of an access key, if the session token is right and has not expired.
    pub(crate) fn principal(
        &self,
        access_key: &str,
        token: Option<&str>,
        now: SystemTime,
    ) -> Result<Principal<'_>, ServiceError> {
        if access_key == EMBEDDED_ACCESS_KEY {
            return Ok(Principal::Administrator);
        }
        let invalid =
            || ServiceError::new("InvalidClientTokenId", 403, "The security token included in the request is invalid.");
        if let Some(user) = self.users.values().find(|user| user.keys.contains_key(access_key)) {
            return Ok(Principal::User(user));
        }
        let session = self.sessions.get(access_key).ok_or_else(invalid)?;
        if token != Some(session.token.as_str()) {
            return Err(invalid());
        }
        if now >= session.expires {
            let message = "The security token included in the request is expired";
            return Err(ServiceError::new("ExpiredToken", 403, message));
        }
        let role = self.roles.get(&session.role).ok_or_else(invalid)?;
        Ok(Principal::Session { session, role })
    }

    /// Stores a session under a new access key, which it returns.
    pub(crate) fn add_session(&mut self, session: Session) -> String {
        self.counter += 1;
        let key = format!("ASIA{:016}", self.counter);
        self.sessions.insert(key.clone(), session);
        key
    }
}
