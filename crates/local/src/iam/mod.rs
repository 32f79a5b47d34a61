//! IAM: roles with a trust policy and inline policies.

mod policy;
mod wire;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::{ACCOUNT, ServiceError, Tags};

pub(crate) use policy::glob;
pub use policy::{Caller, Policy, Verdict};
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
    /// Its inline policies by name.
    pub policies: BTreeMap<String, String>,
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
        let Ok(policy) = serde_json::from_str::<Value>(&self.trust) else { return false };
        let names = |value: &Value, name: &str| match value {
            Value::Array(list) => list.iter().any(|item| item == name),
            one => one == name,
        };
        let allows = |statement: &Value| {
            statement["Effect"] == "Allow"
                && names(&statement["Principal"]["Service"], service)
                && names(&statement["Action"], "sts:AssumeRole")
                && statement.get("Condition").is_none()
        };
        match &policy["Statement"] {
            Value::Array(list) => list.iter().any(allows),
            one => allows(one),
        }
    }

    /// Whether an inline policy allows an action on the objects of a bucket.
    pub(crate) fn allows(&self, action: &str, bucket: &str) -> bool {
        let resource = format!("arn:aws:s3:::{bucket}/key");
        let mut policies = self.policies.values().filter_map(|text| Policy::parse(text).ok());
        policies.any(|policy| policy.verdict(&Caller::Role, action, &resource) == Verdict::Allow)
    }
}

/// The state of IAM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Iam {
    roles: BTreeMap<String, IamRole>,
    counter: u64,
}

impl Iam {
    /// Creates a role. Its id is assigned here.
    pub fn create_role(&mut self, role: IamRole) -> Result<IamRole, ServiceError> {
        check_document(&role.trust)?;
        if role.name.is_empty() || role.name.len() > 64 {
            return Err(ServiceError::invalid("ValidationError", "The role name must have 1 to 64 characters"));
        }
        if self.roles.contains_key(&role.name) {
            let message = format!("Role with name {} already exists.", role.name);
            return Err(ServiceError::new("EntityAlreadyExists", 409, message));
        }
        self.counter += 1;
        let role = IamRole { id: format!("AROA{:017}", self.counter), ..role };
        self.roles.insert(role.name.clone(), role.clone());
        Ok(role)
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

    /// Deletes a role that has no inline policies.
    pub fn delete_role(&mut self, name: &str) -> Result<(), ServiceError> {
        if !self.role(name)?.policies.is_empty() {
            let message = "Cannot delete entity, must delete policies first.";
            return Err(ServiceError::new("DeleteConflict", 409, message));
        }
        self.roles.remove(name);
        Ok(())
    }

    /// Replaces the trust policy of a role.
    pub fn put_trust(&mut self, name: &str, trust: &str) -> Result<(), ServiceError> {
        check_document(trust)?;
        trust.clone_into(&mut self.role_mut(name)?.trust);
        Ok(())
    }

    /// Adds or replaces an inline policy.
    pub fn put_policy(&mut self, name: &str, policy: &str, text: &str) -> Result<(), ServiceError> {
        check_document(text)?;
        self.role_mut(name)?.policies.insert(policy.to_owned(), text.to_owned());
        Ok(())
    }

    /// An inline policy.
    pub fn policy(&self, name: &str, policy: &str) -> Result<&str, ServiceError> {
        let found = self.role(name)?.policies.get(policy);
        found.map(String::as_str).ok_or_else(|| no_policy(name, policy))
    }

    /// Deletes an inline policy.
    pub fn delete_policy(&mut self, name: &str, policy: &str) -> Result<(), ServiceError> {
        self.role_mut(name)?.policies.remove(policy).map(drop).ok_or_else(|| no_policy(name, policy))
    }
}

fn no_role(role: &str) -> ServiceError {
    ServiceError::new("NoSuchEntity", 404, format!("The role with name {role} cannot be found."))
}

fn no_policy(role: &str, policy: &str) -> ServiceError {
    let message = format!("The role policy with name {policy} of role {role} cannot be found.");
    ServiceError::new("NoSuchEntity", 404, message)
}

/// A policy document is a JSON object with statements.
fn check_document(text: &str) -> Result<(), ServiceError> {
    let malformed = |message: &str| ServiceError::invalid("MalformedPolicyDocument", message);
    let value: Value = serde_json::from_str(text).map_err(|_| malformed("This policy contains invalid Json"))?;
    value.get("Statement").map(drop).ok_or_else(|| malformed("Syntax errors in policy."))
}
