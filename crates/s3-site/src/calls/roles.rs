//! Operations on IAM roles with one inline policy.

use aws_sdk_iam::Client;
use percent_encoding::percent_decode_str;
use twinsite_aws::{AwsError, Tags};

use super::call;
use crate::model::{ROLE_PATH, Role};
use crate::wire::role as wire;

/// The name of the inline policy.
const POLICY: &str = "replicate";

/// One role, by its name.
pub(crate) struct RoleClient<'a> {
    pub(crate) client: &'a Client,
    pub(crate) role: &'a str,
}

/// A role to create.
pub(crate) struct NewRole<'a> {
    pub(crate) trust_policy: &'a str,
    /// The ARN of the permissions boundary.
    pub(crate) boundary: &'a str,
    pub(crate) tags: &'a Tags,
}

macro_rules! role_call {
    ($self:ident, $operation:literal, $request:expr) => {
        call!($operation, format!("role {}", $self.role), $request.role_name($self.role))
    };
}

impl RoleClient<'_> {
    /// The role with its inline policy; `None` if it does not exist.
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>
    pub(crate) async fn get_role(&self) -> Result<Option<Role>, AwsError> {
        let response = AwsError::absent(role_call!(self, "GetRole", self.client.get_role()))?;
        let Some(role) = response.and_then(|response| response.role) else { return Ok(None) };
        let policy = role_call!(self, "GetRolePolicy", self.client.get_role_policy().policy_name(POLICY));
        Ok(Some(Role {
            tags: wire::from_sdk_tags(role.tags()),
            trust_policy: url_decoded(role.assume_role_policy_document().unwrap_or_default()),
            boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
            permissions: AwsError::absent(policy)?.map(|response| url_decoded(&response.policy_document)),
        }))
    }

    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
    pub(crate) async fn create_role(&self, new: &NewRole<'_>) -> Result<(), AwsError> {
        const OPERATION: &str = "CreateRole";
        let NewRole { trust_policy, boundary, tags } = *new;
        let tags = wire::to_sdk_tags(tags).map_err(|error| AwsError::unexpected(OPERATION, self.role, error))?;
        let request = self.client.create_role().path(ROLE_PATH).assume_role_policy_document(trust_policy);
        let request = request
            .permissions_boundary(boundary)
            .description("Replicates between the two buckets of a site. Made by twinsite.");
        match role_call!(self, "CreateRole", request.set_tags(Some(tags))) {
            Ok(_) => Ok(()),
            // An earlier call has created it and its response was lost. A role of another owner is a conflict of the plan.
            Err(error) if error.code.as_deref() == Some("EntityAlreadyExists") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html>
    pub(crate) async fn put_role_policy(&self, policy: &str) -> Result<(), AwsError> {
        let request = self.client.put_role_policy().policy_name(POLICY).policy_document(policy);
        role_call!(self, "PutRolePolicy", request).map(drop)
    }

    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html>
    pub(crate) async fn update_assume_role_policy(&self, trust_policy: &str) -> Result<(), AwsError> {
        let request = self.client.update_assume_role_policy().policy_document(trust_policy);
        role_call!(self, "UpdateAssumeRolePolicy", request).map(drop)
    }

    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html>
    pub(crate) async fn put_role_permissions_boundary(&self, boundary: &str) -> Result<(), AwsError> {
        let request = self.client.put_role_permissions_boundary().permissions_boundary(boundary);
        role_call!(self, "PutRolePermissionsBoundary", request).map(drop)
    }

    /// Deletes the inline policy first: a role that has one cannot be deleted.
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html>
    pub(crate) async fn delete_role(&self) -> Result<(), AwsError> {
        let request = self.client.delete_role_policy().policy_name(POLICY);
        AwsError::absent(role_call!(self, "DeleteRolePolicy", request))?;
        AwsError::absent(role_call!(self, "DeleteRole", self.client.delete_role())).map(drop)
    }
}

/// IAM returns policy documents URL-encoded.
fn url_decoded(document: &str) -> String {
    percent_decode_str(document).decode_utf8_lossy().into_owned()
}
