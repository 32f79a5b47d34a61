//! What a publish waits for: uploads for the primary alone, deletes for the backup.

use std::sync::{Arc, Mutex};

use twinsite_core::{Event, Phase, Verb, Watch};
use twinsite_site::{Run, Side};
use twinsite_sync::MemoryStore;

use crate::stage::{deploy, deploy_watched};
use crate::write;

/// What happens, in order.
#[derive(Debug, Default)]
struct Order(Mutex<Vec<&'static str>>);

impl Watch for Order {
    fn event(&self, event: &Event) {
        let what = match event {
            Event::Object { verb: Verb::Put, .. } => "upload",
            Event::Object { verb: Verb::Delete, .. } => "delete",
            Event::PhaseStarted { phase: Phase::Verify, side: Some(Side::Backup), .. } => "wait for the backup",
            _ => return,
        };
        self.0.lock().unwrap().push(what);
    }
}

/// The same in a row is one.
async fn order_of(dir: &std::path::Path, stores: (&MemoryStore, &MemoryStore)) -> Vec<&'static str> {
    let order = Arc::new(Order::default());
    deploy_watched(dir, stores, &Run::new(order.clone())).await.unwrap();
    let mut seen = order.0.lock().unwrap().clone();
    seen.dedup();
    seen
}

#[tokio::test]
async fn all_waves_are_uploaded_before_anybody_waits_for_the_backup() {
    let (primary, backup, dir) = (MemoryStore::default(), MemoryStore::default(), tempfile::tempdir().unwrap());
    let version = |n: u32| {
        write(dir.path(), "index.html", &format!("{n}"));
        write(dir.path(), "about.html", &format!("{n}"));
        write(dir.path(), &format!("assets/{n}.css"), &format!("{n}"));
    };
    version(1);
    let stores = (&primary, &backup);
    assert_eq!(order_of(dir.path(), stores).await, ["upload", "wait for the backup"]);
    version(2);
    assert_eq!(order_of(dir.path(), stores).await, ["upload", "wait for the backup"]);
    version(3);
    std::fs::remove_file(dir.path().join("about.html")).unwrap();
    let with_deletes = ["upload", "wait for the backup", "delete", "wait for the backup"];
    assert_eq!(order_of(dir.path(), stores).await, with_deletes);
    assert!(deploy(dir.path(), stores).await.unwrap().release.is_none());
}
