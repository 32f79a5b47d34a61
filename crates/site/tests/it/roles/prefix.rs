//! The publisher of a prefix.

use twinsite_aws_session::Session;
use twinsite_site::{PolicyKind, RollbackRequest, Run, releases, rollback, verify};

use super::{Account, MODES, OPTIONS, apply_all, is_denied};

/// A publisher of a prefix deploys and rolls back what is below it, in every mode, and is denied to write anything else.
#[tokio::test]
async fn a_publisher_of_a_prefix_writes_what_is_below_it_and_its_records_only() {
    for mode in MODES {
        let account = Account::new(mode).await;
        let administrator = account.context(&account.access(None), account.config()).await;
        apply_all(&administrator).await.unwrap();
        account.deploy(&administrator).await.unwrap();
        let mut config = account.config();
        config.publish.prefix = Some("docs".parse().unwrap());
        let access = account.role_of(&config, PolicyKind::Publisher, 0).await;
        let docs = account.context(&access, config.clone()).await;
        for number in 1..=3 {
            account.deploy(&docs).await.unwrap_or_else(|error| panic!("{number} in {mode}: {error:?}"));
        }
        let request = RollbackRequest { options: OPTIONS, ..RollbackRequest::default() };
        Box::pin(rollback(&docs, &request, &Run::silent())).await.unwrap();
        releases(&docs, &Run::silent()).await.unwrap();
        verify(&docs, None, &Run::silent()).await.unwrap();
        // The main site and other prefixes are not its own.
        let before = account.state();
        let main = account.context(&access, account.config()).await;
        assert!(is_denied(&account.deploy(&main).await.unwrap_err()), "{mode}");
        config.publish.prefix = Some("blog".parse().unwrap());
        let blog = account.context(&access, config).await;
        assert!(is_denied(&account.deploy(&blog).await.unwrap_err()), "{mode}");
        assert_eq!(account.state(), before, "{mode}");
        let s3 = Session::open(access).await.unwrap().s3(&"us-east-1".parse().unwrap());
        let bucket = administrator.site().buckets.primary.as_str();
        for key in [
            "index.html",
            "docs",
            "docsx/a",
            ".twinsite/lock",
            ".twinsite/prefixes/blog/-/lock",
            ".twinsite/active/0000000001-backup",
        ] {
            let put = s3.put_object().bucket(bucket).key(key).send().await;
            assert!(format!("{:?}", put.unwrap_err()).contains("AccessDenied"), "{mode}: {key}");
            let delete = s3.delete_object().bucket(bucket).key(key).send().await;
            assert!(format!("{:?}", delete.unwrap_err()).contains("AccessDenied"), "{mode}: {key}");
        }
        for key in ["docs/a", ".twinsite/prefixes/docs/-/x"] {
            s3.put_object().bucket(bucket).key(key).send().await.unwrap();
        }
    }
}
