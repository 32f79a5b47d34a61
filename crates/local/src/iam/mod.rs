//! IAM: users, roles and their policies; and whether a principal may do something.

mod condition;
mod evaluate;
mod keys;
mod managed;
mod permissions;
mod policy;
mod principal;
mod wire;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::context::{ACCOUNT, ServiceError, Tags};

pub(crate) use evaluate::{Authorization, Permission};
pub use keys::Keys;
pub use managed::ManagedPolicy;
pub(crate) use permissions::permissions;
pub(crate) use policy::glob;
pub use policy::{AccessRequest, Caller, Policy, Verdict};
pub(crate) use principal::Principal;
pub use principal::{IamUser, Policies, Session};
pub(crate) use wire::answer;

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IamRole {
    /// Its name, unique in the account whatever the path.
    pub name: String,
    /// Its path, with slashes at both ends.
    pub path: String,
    /// Its unique id.
    pub id: String,
    /// The trust policy: who may assume the role.
    pub trust: String,
    /// Its description.
    pub description: String,
    /// Its policies.
    #[serde(flatten)]
    pub policies: Policies,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub created: SystemTime,
}

impl IamRole {
    /// The role's ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:role{}{}", self.path, self.name)
    }

    /// Whether a service may assume the role. The services here send none of the keys that conditions could name.
    pub(crate) fn trusts(&self, service: &str) -> bool {
        self.admits(&Caller::Service(service), "sts:AssumeRole", &Keys::default())
    }

    /// Whether the trust policy lets a caller assume the role.
    pub(crate) fn admits(&self, caller: &Caller<'_>, action: &str, keys: &Keys) -> bool {
        let resource = self.arn();
        let request = AccessRequest { action, resource: &resource, keys };
        Policy::parse(&self.trust).is_ok_and(|policy| policy.evaluate(caller, &request) == Verdict::Allow)
    }

    /// Whether an inline policy allows an action on the objects of a bucket.
    pub(crate) fn allows(&self, action: &str, bucket: &str) -> bool {
        let resource = format!("arn:aws:s3:::{bucket}/key");
        let mut policies = self.policies.inline.values().filter_map(|text| Policy::parse(text).ok());
        policies.any(|policy| policy.verdict(&Caller::Role, action, &resource) == Verdict::Allow)
    }
}

/// The state of IAM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Iam {
    roles: BTreeMap<String, IamRole>,
    users: BTreeMap<String, IamUser>,
    /// The managed policies of the account, by ARN.
    managed: BTreeMap<String, ManagedPolicy>,
    /// The sessions of roles, by access key.
    sessions: BTreeMap<String, Session>,
    counter: u64,
}

impl Iam {
    /// Creates a role. Its id is assigned here.
    pub fn create_role(&mut self, role: IamRole) -> Result<IamRole, ServiceError> {
        check_trust(&role.trust)?;
        if role.name.is_empty() || role.name.len() > 64 {
            return Err(ServiceError::invalid("ValidationError", "The role name must have 1 to 64 characters"));
        }
        if self.roles.contains_key(&role.name) {
            return Err(exists("Role", &role.name));
        }
        if let Some(boundary) = &role.policies.boundary {
            self.check_managed(boundary)?;
        }
        let role = IamRole { id: self.next_id("AROA"), ..role };
        self.roles.insert(role.name.clone(), role.clone());
        Ok(role)
    }

    /// Creates a user. Its id is assigned here.
    pub fn create_user(&mut self, user: IamUser) -> Result<IamUser, ServiceError> {
        if self.users.contains_key(&user.name) {
            return Err(exists("User", &user.name));
        }
        let user = IamUser { id: self.next_id("AIDA"), ..user };
        self.users.insert(user.name.clone(), user.clone());
        Ok(user)
    }

    /// Creates an access key of a user: its id and its secret.
    pub fn create_access_key(&mut self, user: &str) -> Result<(String, String), ServiceError> {
        let (id, secret) = (self.next_id("AKIA"), crate::context::random_id());
        let user = self.users.get_mut(user).ok_or_else(|| no_user(user))?;
        user.keys.insert(id.clone(), secret.clone());
        Ok((id, secret))
    }

    /// Creates a managed policy. Its id is assigned here.
    pub fn create_managed(&mut self, policy: ManagedPolicy) -> Result<ManagedPolicy, ServiceError> {
        check_document(&policy.document)?;
        check_size(&policy.document, MANAGED_SIZE)?;
        if self.managed.contains_key(&policy.arn) {
            return Err(exists("Policy", &policy.name));
        }
        let policy = ManagedPolicy { id: self.next_id("ANPA"), ..policy };
        self.managed.insert(policy.arn.clone(), policy.clone());
        Ok(policy)
    }

    fn next_id(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}{:017}", self.counter)
    }

    /// The document of a managed policy.
    pub(crate) fn managed_document(&self, arn: &str) -> Option<&str> {
        self.managed.get(arn).map(|policy| policy.document.as_str()).or_else(|| managed::document(arn))
    }

    /// Fails unless a managed policy exists.
    fn check_managed(&self, arn: &str) -> Result<(), ServiceError> {
        self.managed_document(arn).map(drop).ok_or_else(|| {
            ServiceError::new("NoSuchEntity", 404, format!("Policy {arn} does not exist or is not attachable."))
        })
    }

    /// The policies of a role, or else of a user.
    fn policies_mut(&mut self, owner: Owner<'_>) -> Result<&mut Policies, ServiceError> {
        match owner {
            Owner::Role(name) => Ok(&mut self.role_mut(name)?.policies),
            Owner::User(name) => Ok(&mut self.users.get_mut(name).ok_or_else(|| no_user(name))?.policies),
        }
    }

    fn policies(&self, owner: Owner<'_>) -> Result<&Policies, ServiceError> {
        match owner {
            Owner::Role(name) => Ok(&self.role(name)?.policies),
            Owner::User(name) => Ok(&self.users.get(name).ok_or_else(|| no_user(name))?.policies),
        }
    }

    /// A role by name.
    pub fn role(&self, name: &str) -> Result<&IamRole, ServiceError> {
        self.roles.get(name).ok_or_else(|| no_role(name))
    }

    /// A role by ARN.
    pub fn role_by_arn(&self, arn: &str) -> Option<&IamRole> {
        self.roles.values().find(|role| role.arn() == arn)
    }

    /// All roles, ordered by name.
    pub fn roles(&self) -> impl Iterator<Item = &IamRole> {
        self.roles.values()
    }

    fn role_mut(&mut self, name: &str) -> Result<&mut IamRole, ServiceError> {
        self.roles.get_mut(name).ok_or_else(|| no_role(name))
    }

    /// Deletes a role that has no policies. Its sessions end.
    pub fn delete_role(&mut self, name: &str) -> Result<(), ServiceError> {
        let Policies { inline, attached, boundary: _ } = &self.role(name)?.policies;
        if !inline.is_empty() || !attached.is_empty() {
            let message = "Cannot delete entity, must delete policies first.";
            return Err(ServiceError::new("DeleteConflict", 409, message));
        }
        self.roles.remove(name);
        self.sessions.retain(|_, session| session.role != name);
        Ok(())
    }

    /// Replaces the trust policy of a role.
    pub fn put_trust(&mut self, name: &str, trust: &str) -> Result<(), ServiceError> {
        check_trust(trust)?;
        trust.clone_into(&mut self.role_mut(name)?.trust);
        Ok(())
    }

    /// Adds or replaces an inline policy of a role.
    pub fn put_role_policy(&mut self, role: &str, policy: &str, text: &str) -> Result<(), ServiceError> {
        self.put_policy(Owner::Role(role), policy, text)
    }

    fn put_policy(&mut self, owner: Owner<'_>, policy: &str, text: &str) -> Result<(), ServiceError> {
        check_document(text)?;
        let (policies, limit) = (self.policies_mut(owner)?, owner.inline_size());
        let others =
            policies.inline.iter().filter(|(name, _)| *name != policy).map(|(_, text)| size(text)).sum::<usize>();
        check_size(text, limit.saturating_sub(others))?;
        policies.inline.insert(policy.to_owned(), text.to_owned());
        Ok(())
    }

    fn policy(&self, owner: Owner<'_>, policy: &str) -> Result<&str, ServiceError> {
        let found = self.policies(owner)?.inline.get(policy);
        found.map(String::as_str).ok_or_else(|| no_policy(owner, policy))
    }

    /// Deletes an inline policy of a role.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub fn delete_role_policy(&mut self, role: &str, policy: &str) -> Result<(), ServiceError> {
        self.delete_policy(Owner::Role(role), policy)
    }

    fn delete_policy(&mut self, owner: Owner<'_>, policy: &str) -> Result<(), ServiceError> {
        self.policies_mut(owner)?.inline.remove(policy).map(drop).ok_or_else(|| no_policy(owner, policy))
    }

    fn attach(&mut self, owner: Owner<'_>, arn: &str) -> Result<(), ServiceError> {
        self.check_managed(arn)?;
        self.policies_mut(owner)?.attached.insert(arn.to_owned());
        Ok(())
    }

    fn set_boundary(&mut self, owner: Owner<'_>, arn: Option<&str>) -> Result<(), ServiceError> {
        if let Some(arn) = arn {
            self.check_managed(arn)?;
        }
        self.policies_mut(owner)?.boundary = arn.map(str::to_owned);
        Ok(())
    }
}

/// Whose policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner<'a> {
    Role(&'a str),
    User(&'a str),
}

impl Owner<'_> {
    /// The size that all inline policies together may have, in characters without whitespace.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
    fn inline_size(self) -> usize {
        match self {
            Self::Role(_) => 10_240,
            Self::User(_) => 2_048,
        }
    }
}

/// The size of a managed policy, in characters without whitespace.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MANAGED_SIZE: usize = 6_144;

fn exists(kind: &str, name: &str) -> ServiceError {
    ServiceError::new("EntityAlreadyExists", 409, format!("{kind} with name {name} already exists."))
}

fn no_role(role: &str) -> ServiceError {
    ServiceError::new("NoSuchEntity", 404, format!("The role with name {role} cannot be found."))
}

fn no_user(user: &str) -> ServiceError {
    ServiceError::new("NoSuchEntity", 404, format!("The user with name {user} cannot be found."))
}

fn no_policy(owner: Owner<'_>, policy: &str) -> ServiceError {
    let message = match owner {
        Owner::Role(_) => format!("The role policy with name {policy} cannot be found."),
        Owner::User(_) => format!("The user policy with name {policy} cannot be found."),
    };
    ServiceError::new("NoSuchEntity", 404, message)
}

/// An identity-based policy has statements with actions and resources, and no principals.
fn check_document(text: &str) -> Result<(), ServiceError> {
    let policy = parsed(text)?;
    if policy.is_identity_based() { Ok(()) } else { Err(malformed("Policy document should not specify a principal.")) }
}

fn check_trust(text: &str) -> Result<(), ServiceError> {
    parsed(text).map(drop)
}

fn parsed(text: &str) -> Result<Policy, ServiceError> {
    if serde_json::from_str::<serde_json::Value>(text).is_err() {
        return Err(malformed("This policy contains invalid Json"));
    }
    Policy::parse(text).map_err(|_| malformed("Syntax errors in policy."))
}

fn malformed(message: &str) -> ServiceError {
    ServiceError::invalid("MalformedPolicyDocument", message)
}

/// IAM does not count whitespace.
fn size(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

fn check_size(text: &str, limit: usize) -> Result<(), ServiceError> {
    if size(text) <= limit {
        return Ok(());
    }
    Err(ServiceError::new("LimitExceeded", 409, format!("Cannot exceed quota for PolicySize: {limit}")))
}
