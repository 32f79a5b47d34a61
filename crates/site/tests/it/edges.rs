//! What edges of CloudFront may hold, and what they are told to forget; and redirects, which replication leaves behind.

use std::path::Path;
use std::time::{Duration, Instant};

use twinsite_site::{BackupState, DeployResult};
use twinsite_sync::{HeaderRule, Key, Setting, Store};

use crate::site::TestSite;
use crate::write;

fn redirects(dir: &Path, count: usize) -> Vec<Key> {
    let names = (0..count).map(|n| format!("old/{n:02}.html"));
    names.inspect(|name| write(dir, name, name)).map(|name| name.parse().unwrap()).collect()
}

#[tokio::test]
async fn redirects_are_copied_to_the_backup_at_once_as_replication_leaves_them_behind() {
    for count in [1, 12, 40] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "index.html", "home");
        let keys = redirects(dir.path(), count);
        let site = TestSite::applied().await;
        site.deploy(dir.path()).await.unwrap();
        let moved = HeaderRule::new("/old/*", vec![Setting::WebsiteRedirect(Some("/new/".to_owned()))]).unwrap();
        let site = TestSite::open(site.cloud, |config| config.publish.headers.push(moved)).await;
        write(dir.path(), "index.html", "home of the moved");
        let started = Instant::now();
        let DeployResult::Published(result) = site.deploy_within(dir.path(), Duration::from_secs(20)).await.unwrap()
        else {
            panic!("skipped");
        };
        assert!(started.elapsed() < Duration::from_secs(5), "{count}: {:?}", started.elapsed());
        assert_eq!((result.backup.state, result.backup.copied.len()), (BackupState::InSync, count), "{result:?}");
        let backup = site.context.stores().backup;
        for key in &keys {
            let head = backup.head(key).await.unwrap().unwrap();
            assert_eq!(head.headers.website_redirect.as_deref(), Some("/new/"), "{key}");
        }
    }
}
