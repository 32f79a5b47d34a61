//! What policies say about the HTTPS standby.

use serde_json::{Value, json};
use twinsite_core::{Side, Site};

use crate::config::Config;

/// The ARNs of APIs, whose ids are not known in advance, and of the custom domain name. They name no account.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html>
fn resources(site: &Site) -> Vec<String> {
    let (region, domain) = (site.regions.get(Side::Backup), &site.domain);
    let paths =
        ["apis".to_owned(), "apis/*".to_owned(), format!("domainnames/{domain}"), format!("domainnames/{domain}/*")];
    paths.iter().map(|path| format!("arn:aws:apigateway:{region}::/{path}")).collect()
}

fn allow(sid: &str, actions: &[&str], resources: impl Into<Value>) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources.into()})
}

/// The regions in which `apply` manages certificates.
pub(crate) fn certificate_regions(site: &Site, config: &Config) -> Value {
    let backup = site.regions.backup.as_str();
    match config.standby {
        Some(_) if backup != "us-east-1" => json!(["us-east-1", backup]),
        _ => json!("us-east-1"),
    }
}

/// What reading a standby needs, if the configuration names one.
pub(crate) fn reader(site: &Site, config: &Config) -> Vec<Value> {
    if config.standby.is_none() {
        return Vec::new();
    }
    let certificates = format!("arn:aws:acm:{}:{}:certificate/*", site.regions.backup, site.account);
    vec![
        allow("ReadStandby", &["apigateway:GET"], resources(site)),
        allow("ReadStandbyCertificates", &["acm:DescribeCertificate", "acm:ListTagsForCertificate"], certificates),
    ]
}

/// What `apply` and `destroy` do with a standby. Permissions of API Gateway are the methods of its requests; those of a custom domain name that
/// does not exist are checked for all names. The first one of an account creates a service-linked role.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/using-service-linked-roles.html>
pub(crate) fn applier(site: &Site, config: &Config) -> Vec<Value> {
    if config.standby.is_none() {
        return Vec::new();
    }
    let region = site.regions.get(Side::Backup);
    let mut changed = resources(site);
    changed.push(format!("arn:aws:apigateway:{region}::/domainnames"));
    let role = "role/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway";
    let role = format!("arn:aws:iam::{}:{role}", site.account);
    vec![
        allow("Standby", &["apigateway:DELETE", "apigateway:PATCH", "apigateway:POST"], changed),
        allow(
            "StandbyTags",
            &["apigateway:POST", "apigateway:PUT", "apigateway:TagResource"],
            format!("arn:aws:apigateway:{region}::/tags/*"),
        ),
        allow("StandbyRole", &["iam:CreateServiceLinkedRole"], role),
    ]
}
