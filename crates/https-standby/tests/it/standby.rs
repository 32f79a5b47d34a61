//! Creation, drift, recognition and destruction.

use aws_sdk_apigatewayv2::types::IpAddressType;
use twinsite_aws::Tags;
use twinsite_core::{Mode, Reason};
use twinsite_https_standby::{Conflict, plan_changes, plan_destruction};
use twinsite_local::acm::ValidationRecord;

use crate::{applied, cloud, desired, destroyed, ids, known, planned, session, standby, validated};

#[tokio::test]
async fn a_standby_is_created_recognised_and_finally_deleted() {
    let (cloud, desired) = (cloud(), desired());
    validated(&cloud).await;
    let standby = standby(&cloud).await;
    let steps = [
        "standby/certificate-request",
        "standby/certificate-issued",
        "standby/api",
        "standby/integration",
        "standby/route",
        "standby/stage",
        "standby/domain-name",
        "standby/domain-name-available",
        "standby/mapping",
    ];
    assert_eq!(ids(&standby, &desired).await, steps);
    assert_eq!(planned(&standby, &desired).await.endpoint, None, "nothing may lead there yet");
    applied(&standby, &desired).await.unwrap();
    let complete = planned(&standby, &desired).await;
    assert_eq!(complete.steps, []);
    let endpoint = complete.endpoint.unwrap();
    assert!(endpoint.host.as_str().ends_with(".execute-api.us-west-2.amazonaws.com"));
    assert_eq!(endpoint.hosted_zone, "Z2OJLYMUO9EFXC");
    let record = known(complete.validation_records);
    let of_account = ValidationRecord::new("www.example.com");
    assert_eq!((record.name, record.value), (of_account.name, of_account.value), "renewal needs the record");
    destroyed(&standby, &desired).await;
    cloud.world().account(|account, _| {
        assert_eq!((account.api_gateway.apis().count(), account.api_gateway.domains().count()), (0, 0));
        assert_eq!(account.acm.all().count(), 1, "the certificate of us-east-1 is that of the distribution");
    });
}

#[tokio::test]
async fn drift_is_found_and_corrected() {
    let (cloud, desired) = (cloud(), desired());
    validated(&cloud).await;
    let standby = standby(&cloud).await;
    applied(&standby, &desired).await.unwrap();
    let client = session(&cloud).await.api_gateway(&"us-west-2".parse().unwrap());
    let (api, integration, route) = cloud.world().account(|account, _| {
        let api = account.api_gateway.apis().next().unwrap();
        let first = |ids: Vec<&String>| ids[0].clone();
        (api.id.clone(), first(api.integrations.keys().collect()), first(api.routes.keys().collect()))
    });
    client.update_api().api_id(&api).disable_execute_api_endpoint(true).send().await.unwrap();
    assert_eq!(ids(&standby, &desired).await, ["standby/api"]);
    client.update_api().api_id(&api).ip_address_type(IpAddressType::Ipv4).send().await.unwrap();
    applied(&standby, &desired).await.unwrap();
    let update = client.update_integration().api_id(&api).integration_id(&integration);
    update.integration_uri("http://example.net/{proxy}").timeout_in_millis(50).send().await.unwrap();
    assert_eq!(ids(&standby, &desired).await, ["standby/integration"]);
    client.update_stage().api_id(&api).stage_name("$default").auto_deploy(false).send().await.unwrap();
    client.delete_route().api_id(&api).route_id(route).send().await.unwrap();
    assert_eq!(ids(&standby, &desired).await, ["standby/integration", "standby/route", "standby/stage"]);
    let mapping = client.get_api_mappings().domain_name("www.example.com").send().await.unwrap();
    let mapping = mapping.items()[0].api_mapping_id().unwrap().to_owned();
    client.delete_api_mapping().domain_name("www.example.com").api_mapping_id(mapping).send().await.unwrap();
    applied(&standby, &desired).await.unwrap();
    assert_eq!(ids(&standby, &desired).await, [""; 0]);
    client.delete_domain_name().domain_name("www.example.com").send().await.unwrap();
    let again = ["standby/domain-name", "standby/domain-name-available", "standby/mapping"];
    assert_eq!(ids(&standby, &desired).await, again);
    applied(&standby, &desired).await.unwrap();
    assert_eq!(ids(&standby, &desired).await, [""; 0]);
}

#[tokio::test]
async fn resources_without_their_tags_are_found_by_a_second_mark_and_those_of_others_are_left() {
    let (cloud, mut desired) = (cloud(), desired());
    validated(&cloud).await;
    let standby = standby(&cloud).await;
    applied(&standby, &desired).await.unwrap();
    let client = session(&cloud).await.api_gateway(&"us-west-2".parse().unwrap());
    let api = client.get_apis().send().await.unwrap().items()[0].api_id().unwrap().to_owned();
    for resource in [format!("apis/{api}"), "domainnames/www.example.com".to_owned()] {
        let arn = format!("arn:aws:apigateway:us-west-2::/{resource}");
        let keys = ["twinsite:site", "twinsite:managed-by"].map(str::to_owned).to_vec();
        client.untag_resource().resource_arn(arn).set_tag_keys(Some(keys)).send().await.unwrap();
    }
    assert_eq!(ids(&standby, &desired).await, ["standby/api-tags", "standby/domain-name-tags"]);
    applied(&standby, &desired).await.unwrap();
    assert_eq!(ids(&standby, &desired).await, [""; 0]);
    // Tags of the owner on what is created, and no others.
    desired.tags = Tags::from([("cost-center".to_owned(), "7".to_owned())]);
    assert_eq!(ids(&standby, &desired).await, [""; 0]);
    let arn = "arn:aws:apigateway:us-west-2::/domainnames/www.example.com";
    client.tag_resource().resource_arn(arn).tags("twinsite:site", "blog.example.com").send().await.unwrap();
    let actual = standby.observe(&desired).await.unwrap();
    let conflict = plan_changes(&desired, &actual).unwrap_err();
    assert!(matches!(conflict, Conflict::DomainNameTaken { .. }) && !conflict.hint().is_empty(), "{conflict}");
    let steps = plan_destruction(&desired, &actual, &Reason::Asked("destroy".to_owned()));
    let deleted: Vec<_> = steps.iter().map(|step| step.id.as_str()).collect();
    assert!(!deleted.contains(&"standby/domain-name"), "what bears the tags of another site is kept: {deleted:?}");
}

#[tokio::test]
async fn a_mode_without_dns_failover_has_no_standby() {
    let (cloud, mut desired) = (cloud(), desired());
    desired.site.mode = Mode::Origin;
    let actual = standby(&cloud).await.observe(&desired).await.unwrap();
    assert_eq!(plan_changes(&desired, &actual).unwrap_err(), Conflict::NoFailover);
}
