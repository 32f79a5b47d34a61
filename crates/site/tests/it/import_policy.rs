//! The policy that the documentation has for `import` is enough, and nothing in it is too much. The embedded cloud enforces it.

use std::path::Path;

use serde_json::Value;
use twinsite_aws_session::{Access, Credentials, RetryConfig, Session};
use twinsite_local::{ACCOUNT, Cloud, Delays};
use twinsite_site::{
    AdoptBuckets, Config, Environment, Error, ImportRequest, Imported, Mode, Network, Pair, Run, SiteContext, apply,
    import, plan,
};

use crate::site::POLLING;

/// The first document in the section.
fn documented() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/permissions.md");
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.split("## Before there is a configuration").nth(1).unwrap();
    let document = section.split("```json").nth(1).unwrap().split("```").next().unwrap();
    serde_json::from_str(document).unwrap()
}

fn access(cloud: &Cloud, embedded_credentials: Option<Credentials>) -> Access {
    let retry = Some(RetryConfig::standard().with_max_attempts(1));
    Access { embedded: Some(cloud.http_client()), embedded_credentials, retry, ..Access::default() }
}

fn environment(access: Access) -> Environment {
    Environment { access, polling: POLLING, network: Network::Unavailable, outages: None }
}

/// `import` by a role with this policy.
async fn import_with(cloud: &Cloud, name: &str, policy: &Value) -> Result<Imported, Error> {
    let administrator = Session::open(access(cloud, None)).await.unwrap();
    let (iam, sts) = (administrator.iam(), administrator.sts(&"us-east-1".parse().unwrap()));
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    iam.create_role().role_name(name).assume_role_policy_document(trust).send().await.unwrap();
    let put = iam.put_role_policy().role_name(name).policy_name("import");
    put.policy_document(policy.to_string()).send().await.unwrap();
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let assumed = sts.assume_role().role_arn(arn).role_session_name("import").send().await.unwrap();
    let assumed = assumed.credentials.unwrap();
    let (key, secret, token) = (assumed.access_key_id, assumed.secret_access_key, assumed.session_token);
    let credentials = Credentials::new(key, secret, Some(token), None, "test");
    let request = ImportRequest { domain: Some("www.example.com".parse().unwrap()), ..ImportRequest::default() };
    Box::pin(import(&request, environment(access(cloud, Some(credentials))), &Run::silent())).await
}

#[tokio::test]
async fn every_action_of_the_documented_policy_is_needed_and_they_are_enough() {
    let cloud = Cloud::memory();
    cloud.world().set_delays(Delays::NONE);
    let administrator = Session::open(access(&cloud, None)).await.unwrap();
    let route53 = administrator.route53();
    route53.create_hosted_zone().name("example.com").caller_reference("zone").send().await.unwrap();
    let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
    let mut config = Config::new("www.example.com".parse().unwrap(), regions);
    config.mode = Mode::Layered;
    let site =
        SiteContext::with_session(config, administrator, ACCOUNT.parse().unwrap(), environment(access(&cloud, None)));
    let site = site.unwrap();
    let planned = plan(&site, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
    Box::pin(apply(&site, planned, &Run::silent())).await.unwrap();

    let policy = documented();
    let all = import_with(&cloud, "all", &policy).await.unwrap();
    assert!(all.not_expressed.is_empty() && all.distribution.is_some() && all.zone.is_some(), "{all:?}");
    let actions = policy["Statement"][0]["Action"].as_array().unwrap().clone();
    assert!(actions.len() > 10);
    for (number, left_out) in actions.iter().enumerate() {
        let mut less = policy.clone();
        less["Statement"][0]["Action"] = actions.iter().filter(|action| *action != left_out).cloned().collect();
        match import_with(&cloud, &format!("without-{number}"), &less).await {
            Err(error) => assert!(format!("{error:?}").contains("Denied"), "{left_out}: {error:?}"),
            // A bucket that cannot be read is told, and the rest is imported.
            Ok(imported) => {
                let told = imported.not_expressed.iter().any(|one| one.value == "not read");
                assert!(told, "{left_out} is not needed: {:?}", imported.not_expressed);
            }
        }
    }
}
