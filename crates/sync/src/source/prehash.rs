//! Hashing while answers are waited for: what is not in the index is likely to be needed, and the cores are idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::task::JoinSet;

use crate::source::digest::{cores, digest_of};
use crate::{Body, Index, Source, SourceObject};

/// Larger files may have been sent in parts, and then a digest of the whole says nothing.
const LARGEST: u64 = crate::model::limits::THRESHOLD;

/// Threads that hash the files of a source until they are told to stop. Whatever they learn is in the index, and spares [`plan`]
/// and [`prepare`] that work; both do the same while they list. This is for whoever has to wait for something else before.
///
/// ```
/// use twinsite_sync::{Prehasher, Index, Rules, walk};
///
/// # async fn log_in() {}
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # std::fs::write(dir.path().join("index.html"), "<h1>hello</h1>")?;
/// let (source, index) = (walk(dir.path(), &Rules::web())?, Index::memory());
/// let ahead = Prehasher::start(&source, &index);
/// log_in().await;
/// ahead.end().await;
/// # Ok(()) }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
///
/// [`plan`]: crate::plan()
/// [`prepare`]: crate::prepare
#[derive(Debug)]
pub struct Prehasher {
    stop: Arc<AtomicBool>,
    threads: JoinSet<()>,
}

impl Prehasher {
    /// Starts with the largest files. It has to be called within a Tokio runtime.
    pub fn start(source: &Source, index: &Index) -> Self {
        let fits = |object: &&Arc<SourceObject>| matches!(object.body, Body::File { .. }) && object.size < LARGEST;
        let mut files: Vec<Arc<SourceObject>> = source.objects.iter().filter(fits).cloned().collect();
        index.expect(source.objects.len());
        files.sort_by_key(|object| std::cmp::Reverse(object.size));
        let (files, next, stop) = (Arc::new(files), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut threads = JoinSet::new();
        for _ in 0..cores().min(files.len()) {
            let (files, next, stop, index) = (Arc::clone(&files), Arc::clone(&next), Arc::clone(&stop), index.clone());
            threads.spawn_blocking(move || {
                let mut buffer = Vec::new();
                while !stop.load(Ordering::Relaxed)
                    && let Some(object) = files.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    if index.get(object).is_some() {
                        continue;
                    }
                    // Whoever needs the digest reads the file again, and then says what is wrong with it.
                    if let Ok(digest) = digest_of(object, &mut buffer) {
                        index.put(object, digest);
                    }
                }
            });
        }
        Self { stop, threads }
    }

    /// Has them finish the files that they are at.
    pub async fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while self.threads.join_next().await.is_some() {}
    }
}

/// What nobody waits for any more need not be hashed.
impl Drop for Prehasher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use super::Prehasher;
    use crate::{Index, Rules, md5, walk};

    #[tokio::test]
    async fn digests_are_known_before_they_are_asked_for_and_a_file_that_is_gone_stops_nobody() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..40 {
            std::fs::write(dir.path().join(format!("{n:02}.html")), format!("page {n}")).unwrap();
        }
        let (source, index) = (walk(dir.path(), &Rules::web()).unwrap(), Index::memory());
        std::fs::remove_file(dir.path().join("07.html")).unwrap();
        let ahead = Prehasher::start(&source, &index);
        while source.objects.iter().filter(|object| index.get(object).is_some()).count() < 39 {
            tokio::task::yield_now().await;
        }
        ahead.end().await;
        for (n, object) in source.objects.iter().enumerate() {
            let wanted = (n != 7).then(|| md5(format!("page {n}").as_bytes()));
            assert_eq!(index.get(object), wanted, "{}", object.key);
        }
        let ahead = Prehasher::start(&source, &Index::memory());
        let stop = Arc::clone(&ahead.stop);
        drop(ahead);
        assert!(stop.load(Ordering::Relaxed));
        // What is known is not read again.
        let (index, first, other) = (Index::memory(), &source.objects[0], md5(b"other"));
        index.put(first, other);
        let ahead = Prehasher::start(&source, &index);
        while source.objects.iter().filter(|object| index.get(object).is_some()).count() < 39 {
            tokio::task::yield_now().await;
        }
        ahead.end().await;
        assert_eq!(index.get(first), Some(other));
    }
}
