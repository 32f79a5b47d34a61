//! The roles of a site with an HTTPS standby.

use twinsite_site::{AdoptBuckets, Mode, PolicyKind, Run, Standby, plan};

use super::{Account, Command, apply_all, is_denied};

#[tokio::test]
async fn an_applier_makes_and_removes_an_https_standby_and_a_reader_plans_it() {
    for mode in [Mode::Dns, Mode::Layered] {
        let account = Account { standby: Some(Standby::Https), ..Account::new(mode).await };
        let (applier, reader) = (account.role(PolicyKind::Applier, 0).await, account.role(PolicyKind::Reader, 1).await);
        let denied = account.run(&reader, Command::Apply).await.unwrap_err();
        assert!(is_denied(&denied), "{denied:?}");
        apply_all(&account.context(&applier, account.config()).await).await.unwrap();
        account.cloud.world().account(|world, _| assert_eq!(world.api_gateway.domains().count(), 1));
        account.run(&reader, Command::Plan).await.unwrap();
        // What drifts is put back by the same role.
        let client = account.administrator().await.api_gateway(&"us-west-2".parse().unwrap());
        let api = client.get_apis().send().await.unwrap().items()[0].api_id().unwrap().to_owned();
        client.update_stage().api_id(&api).stage_name("$default").auto_deploy(false).send().await.unwrap();
        client.update_api().api_id(&api).disable_execute_api_endpoint(true).send().await.unwrap();
        let arn = format!("arn:aws:apigateway:us-west-2::/apis/{api}");
        let keys = ["twinsite:managed-by".to_owned(), "twinsite:site".to_owned()];
        client.untag_resource().resource_arn(arn).set_tag_keys(Some(keys.to_vec())).send().await.unwrap();
        apply_all(&account.context(&applier, account.config()).await).await.unwrap();
        let site = account.context(&reader, account.config()).await;
        let planned = plan(&site, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
        assert!(planned.is_empty(), "{mode}");
        let mut removed = account.config();
        removed.standby = Some(Standby::Http);
        apply_all(&account.context(&applier, removed).await).await.unwrap();
        account.cloud.world().account(|world, _| assert_eq!(world.api_gateway.apis().count(), 0));
        apply_all(&account.context(&applier, account.config()).await).await.unwrap();
        account.run(&applier, Command::Destroy).await.unwrap();
        account.cloud.world().account(|world, _| {
            assert_eq!((world.api_gateway.apis().count(), world.acm.all().count()), (0, 0), "{mode}");
        });
    }
}
