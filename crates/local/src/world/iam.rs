//! IAM: roles with their trust and inline policies.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What IAM refuses, with its own error codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `NoSuchEntity`.
    #[error("The {0} cannot be found.")]
    NoSuchEntity(String),
    /// `EntityAlreadyExists`.
    #[error("Role with name {0} already exists.")]
    EntityAlreadyExists(String),
    /// `MalformedPolicyDocument`.
    #[error("{0}")]
    MalformedPolicyDocument(String),
    /// `DeleteConflict`.
    #[error("Cannot delete entity, must delete policies first.")]
    DeleteConflict,
    /// `ValidationError`.
    #[error("{0}")]
    ValidationError(String),
    /// The state on disk could not be written.
    #[error("{0}")]
    Disk(String),
}

impl From<super::Fault> for Fault {
    fn from(fault: super::Fault) -> Self {
        Self::Disk(fault.to_string())
    }
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name, unique in the account without regard to the path.
    pub name: String,
    /// Its path, with slashes at both ends.
    pub path: String,
    /// Its unique id.
    pub id: String,
    /// Who may assume it: a policy document.
    pub trust: String,
    /// What it is for.
    pub description: String,
    /// Its inline policies.
    pub policies: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    pub created: SystemTime,
}

impl Role {
    /// The role's ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role{}{}", super::ACCOUNT, self.path, self.name)
    }
}

/// All state of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Iam {
    roles: BTreeMap<String, Role>,
    counter: u64,
}

impl Iam {
    /// Creates a role.
    pub fn create_role(&mut self, role: Role) -> Result<Role, Fault> {
        document(&role.trust)?;
        if role.name.is_empty() || role.name.len() > 64 {
            return Err(Fault::ValidationError("The role name must have 1 to 64 characters".to_owned()));
        }
        if self.roles.contains_key(&role.name) {
            return Err(Fault::EntityAlreadyExists(role.name));
        }
        self.counter += 1;
        let role = Role { id: format!("AROA{:017}", self.counter), ..role };
        self.roles.insert(role.name.clone(), role.clone());
        Ok(role)
    }

    /// One role.
    pub fn role(&self, name: &str) -> Result<&Role, Fault> {
        self.roles.get(name).ok_or_else(|| missing(name))
    }

    /// The role that an ARN names.
    pub fn by_arn(&self, arn: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.arn() == arn)
    }

    /// All roles by name.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    fn role_mut(&mut self, name: &str) -> Result<&mut Role, Fault> {
        self.roles.get_mut(name).ok_or_else(|| missing(name))
    }

    /// Deletes a role that has no policies left.
    pub fn delete_role(&mut self, name: &str) -> Result<(), Fault> {
        if !self.role(name)?.policies.is_empty() {
            return Err(Fault::DeleteConflict);
        }
        self.roles.remove(name);
        Ok(())
    }

    /// Replaces who may assume a role.
    pub fn put_trust(&mut self, name: &str, trust: &str) -> Result<(), Fault> {
        document(trust)?;
        trust.clone_into(&mut self.role_mut(name)?.trust);
        Ok(())
    }

    /// Adds or replaces an inline policy.
    pub fn put_policy(&mut self, name: &str, policy: &str, text: &str) -> Result<(), Fault> {
        document(text)?;
        self.role_mut(name)?.policies.insert(policy.to_owned(), text.to_owned());
        Ok(())
    }

    /// One inline policy.
    pub fn policy(&self, name: &str, policy: &str) -> Result<&str, Fault> {
        let found = self.role(name)?.policies.get(policy);
        found.map(String::as_str).ok_or_else(|| no_policy(name, policy))
    }

    /// Takes an inline policy away.
    pub fn delete_policy(&mut self, name: &str, policy: &str) -> Result<(), Fault> {
        self.role_mut(name)?.policies.remove(policy).map(drop).ok_or_else(|| no_policy(name, policy))
    }

    /// Adds, replaces and removes tags of a role.
    pub fn change_tags(&mut self, name: &str, add: Vec<(String, String)>, gone: &[String]) -> Result<(), Fault> {
        let tags = &mut self.role_mut(name)?.tags;
        tags.retain(|key, _| !gone.contains(key));
        tags.extend(add);
        Ok(())
    }
}

fn missing(role: &str) -> Fault {
    Fault::NoSuchEntity(format!("role with name {role}"))
}

fn no_policy(role: &str, policy: &str) -> Fault {
    Fault::NoSuchEntity(format!("role policy with name {policy} of role {role}"))
}

/// A policy is a JSON object with statements.
fn document(text: &str) -> Result<(), Fault> {
    let malformed = |why: &str| Fault::MalformedPolicyDocument(why.to_owned());
    let value: Value = serde_json::from_str(text).map_err(|_| malformed("This policy contains invalid Json"))?;
    value.get("Statement").map(drop).ok_or_else(|| malformed("Syntax errors in policy."))
}
