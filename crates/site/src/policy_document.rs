//! Statements of IAM as documents that fit into managed policies.

use serde_json::{Value, json};

/// The size of a managed policy, in characters without whitespace.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MANAGED_POLICY_SIZE: usize = 6_144;

/// A policy document, to be created as a managed policy.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct PolicyDocument {
    /// A name for the policy.
    pub name: String,
    /// Its size in characters without whitespace, of which IAM allows 6,144.
    pub characters: usize,
    /// The document.
    pub document: Value,
}

/// Distributes statements over as few documents as their size allows.
pub(crate) fn split(name: &str, statements: Vec<Value>) -> Vec<PolicyDocument> {
    let mut parts: Vec<Vec<Value>> = vec![Vec::new()];
    for statement in statements {
        let last = parts.len() - 1;
        let longer: Vec<Value> = parts[last].iter().cloned().chain([statement.clone()]).collect();
        if size(&document(&longer)) <= MANAGED_POLICY_SIZE || parts[last].is_empty() {
            parts[last] = longer;
        } else {
            parts.push(vec![statement]);
        }
    }
    let count = parts.len();
    let numbered = |index: usize| if count == 1 { name.to_owned() } else { format!("{name}-{}", index + 1) };
    let parts = parts.iter().enumerate().map(|(index, statements)| {
        let document = document(statements);
        PolicyDocument { name: numbered(index), characters: size(&document), document }
    });
    parts.collect()
}

/// IAM does not count whitespace.
fn size(document: &Value) -> usize {
    document.to_string().chars().filter(|character| !character.is_whitespace()).count()
}

pub(crate) fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}
