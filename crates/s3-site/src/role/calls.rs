//! One function for each IAM operation, by its AWS name.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag;
use percent_encoding::percent_decode_str;
use twinsite_aws::{AwsError, Tags};

use super::{PATH, POLICY, RoleState};

/// One role and its client.
pub(crate) struct Calls<'a> {
    pub(crate) client: &'a Client,
    pub(crate) name: &'a str,
}

macro_rules! call {
    ($self:ident, $operation:literal, $request:expr) => {
        Box::pin($request.role_name($self.name).send())
            .await
            .map_err(|error| AwsError::new($operation, format!("role {}", $self.name), error))
    };
}

impl Calls<'_> {
    /// The role with its tags, trust and our policy; `None` when there is none.
    pub(crate) async fn observe(&self) -> Result<Option<RoleState>, AwsError> {
        let role = AwsError::absent(call!(self, "GetRole", self.client.get_role()))?;
        let Some(role) = role.and_then(|answer| answer.role) else { return Ok(None) };
        let policy = call!(self, "GetRolePolicy", self.client.get_role_policy().policy_name(POLICY));
        let policy = AwsError::absent(policy)?.map(|answer| decoded(&answer.policy_document));
        let tags = role.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
        let trust = decoded(role.assume_role_policy_document().unwrap_or_default());
        Ok(Some(RoleState { tags, trust, policy }))
    }

    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
    pub(crate) async fn create_role(&self, trust: &str, tags: &Tags) -> Result<(), AwsError> {
        let set = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let set = set.collect::<Result<Vec<_>, _>>();
        let set = set.map_err(|error| AwsError::unexpected("CreateRole", self.name, error))?;
        let request = self.client.create_role().path(PATH).assume_role_policy_document(trust).set_tags(Some(set));
        let request = request.description("Replicates between the two buckets of a site. Made by twinsite.");
        let answer = call!(self, "CreateRole", request).map(drop);
        match answer {
            // A lost reply: the role was created by the call before. One of another owner was refused when planning.
            Err(error) if error.code.as_deref() == Some("EntityAlreadyExists") => Ok(()),
            answer => answer,
        }
    }

    pub(crate) async fn put_role_policy(&self, policy: &str) -> Result<(), AwsError> {
        let request = self.client.put_role_policy().policy_name(POLICY).policy_document(policy);
        call!(self, "PutRolePolicy", request).map(drop)
    }

    pub(crate) async fn update_assume_role_policy(&self, trust: &str) -> Result<(), AwsError> {
        let request = self.client.update_assume_role_policy().policy_document(trust);
        call!(self, "UpdateAssumeRolePolicy", request).map(drop)
    }

    /// The policy goes first: a role that has one is not deleted.
    pub(crate) async fn delete_role(&self) -> Result<(), AwsError> {
        let policy = call!(self, "DeleteRolePolicy", self.client.delete_role_policy().policy_name(POLICY));
        AwsError::absent(policy.map(drop))?;
        AwsError::absent(call!(self, "DeleteRole", self.client.delete_role()).map(drop)).map(drop)
    }
}

/// IAM shows documents as they are in addresses.
fn decoded(document: &str) -> String {
    percent_decode_str(document).decode_utf8_lossy().into_owned()
}
