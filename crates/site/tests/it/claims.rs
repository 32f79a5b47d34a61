//! Whatever fails, at whichever request: what a deploy and a rollback claim afterwards is compared with the buckets.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use twinsite_local::{Cloud, InjectedFault};
use twinsite_site::{BackupState, DeployResult, Error, InvalidationResult, Pair, PublishOptions, PublishResult};
use twinsite_sync::{Key, VersionedStore, release};

use crate::site::{OPTIONS, TestSite};
use crate::stage::contents;
use crate::write;

type Files = BTreeMap<Key, Bytes>;

/// What fails.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Refused,
    OutOfService,
    Throttled,
    Unreachable,
    ReplyLost,
    Truncated,
    /// Answered by something that is not AWS.
    Foreign,
    /// An entry of a listing appears twice.
    ListedTwice,
    /// An entry of a listing is missing.
    NotListed,
}

impl Kind {
    fn fault(self) -> InjectedFault {
        match self {
            Self::Refused => InjectedFault::Error { status: 403, code: "AccessDenied" },
            Self::OutOfService => InjectedFault::Error { status: 503, code: "ServiceUnavailable" },
            Self::Throttled => InjectedFault::SlowDown,
            Self::Unreachable => InjectedFault::Refuse,
            Self::ReplyLost => InjectedFault::LoseReply,
            Self::Truncated => InjectedFault::Truncate,
            Self::Foreign => {
                InjectedFault::ReplaceBody(|_| b"<html><body>Sign in to the network</body></html>".to_vec())
            }
            Self::ListedTwice => InjectedFault::ReplaceBody(|body| change_entry(body, 2)),
            Self::NotListed => InjectedFault::ReplaceBody(|body| change_entry(body, 0)),
        }
    }
}

/// A listing whose second entry is there so many times.
fn change_entry(body: &[u8], times: usize) -> Vec<u8> {
    const END: &str = "</Contents>";
    let text = String::from_utf8_lossy(body).into_owned();
    let ends: Vec<usize> = text.match_indices(END).map(|(at, _)| at + END.len()).collect();
    let [first, second, ..] = ends[..] else { return body.to_vec() };
    let entry = text[first..second].repeat(times);
    [&text[..first], &entry, &text[second..]].concat().into_bytes()
}

/// Which requests fail.
#[derive(Clone, Copy, Debug)]
enum Where {
    /// One.
    Once,
    /// All from one on.
    From,
    /// From one on, those to the bucket of a region.
    Bucket(&'static str),
}

const PLACES: [Where; 4] = [Where::Once, Where::From, Where::Bucket("us-east-1"), Where::Bucket("us-west-2")];

fn inject(cloud: &Cloud, kind: Kind, place: Where, k: usize) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let requests = Arc::clone(&count);
    cloud.inject_faults(move |request| {
        let now = requests.fetch_add(1, Ordering::Relaxed);
        let fails = match place {
            Where::Once => now == k,
            Where::From => now >= k,
            Where::Bucket(region) => now >= k && request.host.contains("s3") && request.host.contains(region),
        };
        if fails { kind.fault() } else { InjectedFault::None }
    });
    count
}

/// The files of a version; the second changes, adds and removes some.
fn version(n: usize) -> Files {
    let mut files = Files::new();
    let mut add = |name: &str, text: String| files.insert(name.parse().unwrap(), text.into());
    for page in 0..8 {
        add(&format!("p{page}/index.html"), format!("{page} of version {n}"));
    }
    add("index.html", format!("home {n}"));
    add("same.txt", "same".to_owned());
    add(&format!("only-{n}.txt"), "only".to_owned());
    files
}

fn build(dir: &Path, n: usize) {
    std::fs::remove_dir_all(dir).unwrap();
    for (key, bytes) in version(n) {
        write(dir, key.as_str(), std::str::from_utf8(&bytes).unwrap());
    }
}

async fn bucket(store: &impl VersionedStore) -> Files {
    contents(store).await.into_iter().map(|(key, (bytes, _))| (key, bytes)).collect()
}

/// What the buckets hold, as another client sees it.
struct Seen {
    primary: Files,
    backup: Files,
    releases: usize,
}

async fn see(site: &TestSite) -> Seen {
    let Pair { primary, backup } = site.context.stores();
    let releases = release::list_ids(&primary).await.unwrap().len();
    Seen { primary: bucket(&primary).await, backup: bucket(&backup).await, releases }
}

/// A result that says more than the buckets have is a finding.
fn check_result(result: &PublishResult, seen: &Seen, expected: &Files, site: &TestSite, when: &str) {
    let is_alone = result.backup.state == BackupState::Alone;
    let active = if is_alone { &seen.backup } else { &seen.primary };
    if result.primary.replaced.is_empty() {
        assert_eq!(active, expected, "{when}: it says that the release is published: {result:#?}");
    }
    if result.backup.state == BackupState::InSync {
        assert_eq!(seen.backup, seen.primary, "{when}: it says that the backup is in sync: {result:#?}");
        assert_eq!(result.backup.error, None, "{when}");
    } else {
        assert!(is_alone || result.backup.error.is_some() || seen.backup != seen.primary, "{when}: {result:#?}");
    }
    if let InvalidationResult::Accepted { .. } = result.invalidation {
        assert!(site.has_invalidated("/index.html"), "{when}: it says that pages were invalidated: {result:#?}");
    }
}

/// An error that says that nothing was changed is a finding if something was.
fn check_error(error: &Error, seen: &Seen, before: &Seen, when: &str) {
    let text = format!("{error} {}", error.hints.join(" ")).to_lowercase();
    if text.contains("nothing was") {
        assert_eq!((&seen.primary, seen.releases), (&before.primary, before.releases), "{when}: {text}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Deploy,
    Rollback,
}

/// Here, objects are replicated at once, or never.
const HASTY: PublishOptions =
    PublishOptions { parity_timeout: Duration::from_millis(100), lock_ttl: Duration::from_secs(3), ..OPTIONS };

/// Before anything fails, no lock is lost on a busy machine.
const PATIENT: PublishOptions = PublishOptions { lock_ttl: Duration::from_mins(1), ..OPTIONS };

async fn execute(operation: Operation, site: &TestSite, dir: &Path) -> Result<DeployResult, Error> {
    match operation {
        Operation::Deploy => site.deploy_with(dir, HASTY).await,
        Operation::Rollback => site.roll_back_with("1", HASTY).await,
    }
}

/// Runs an operation with a fault at request `k`, compares its claims with the buckets, and runs it again without; returns true if `k` was
/// beyond its last request.
async fn faulty_at(k: usize, kind: Kind, place: Where, operation: Operation) -> bool {
    let (site, dir) = (TestSite::applied().await, tempfile::tempdir().unwrap());
    build(dir.path(), 1);
    site.deploy_with(dir.path(), PATIENT).await.unwrap();
    build(dir.path(), 2);
    let expected = match operation {
        Operation::Deploy => version(2),
        Operation::Rollback => {
            site.deploy_with(dir.path(), PATIENT).await.unwrap();
            version(1)
        }
    };
    let when = format!("{operation:?}, {kind:?} {place:?} {k}");
    let before = see(&site).await;
    let requests = inject(&site.cloud, kind, place, k);
    let ended = execute(operation, &site, dir.path()).await;
    let beyond = requests.load(Ordering::Relaxed) <= k;
    site.cloud.inject_faults(|_| InjectedFault::None);
    let seen = see(&site).await;
    match &ended {
        Ok(DeployResult::Published(result)) => check_result(result, &seen, &expected, &site, &when),
        Ok(other) => panic!("{when}: {other:?}"),
        Err(error) => check_error(error, &seen, &before, &when),
    }
    let again = execute(operation, &site, dir.path()).await;
    let again = again.unwrap_or_else(|error| panic!("{when}: {error} {:?} after {ended:?}", error.hints));
    let DeployResult::Published(again) = again else { panic!("{when}: {again:?}") };
    if again.backup.state == BackupState::Alone {
        return beyond;
    }
    let seen = see(&site).await;
    assert_eq!(
        (&seen.primary, &seen.backup),
        (&expected, &expected),
        "{when}: after the next, {again:?} after {ended:?}"
    );
    beyond
}

async fn faulty_anywhere(kind: Kind) {
    for place in PLACES {
        for operation in [Operation::Deploy, Operation::Rollback] {
            for k in crate::sampled_every(61) {
                assert!(k < 2000, "it does not end");
                if Box::pin(faulty_at(k, kind, place, operation)).await {
                    break;
                }
            }
        }
    }
}

macro_rules! claims {
    ($($name:ident: $kind:ident;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                faulty_anywhere(Kind::$kind).await;
            }
        )*
    };
}

claims! {
    a_request_that_is_refused_is_not_claimed: Refused;
    a_bucket_out_of_service_is_not_claimed: OutOfService;
    a_throttled_request_is_not_claimed: Throttled;
    a_request_that_does_not_arrive_is_not_claimed: Unreachable;
    a_lost_reply_is_not_claimed: ReplyLost;
    a_truncated_response_is_not_believed: Truncated;
    a_response_of_something_else_is_not_believed: Foreign;
    an_entry_that_is_listed_twice_is_not_believed: ListedTwice;
    an_entry_that_is_not_listed_is_not_lost: NotListed;
}
