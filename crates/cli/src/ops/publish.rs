//! What `deploy` and `rollback` have in common: the lock, the two buckets, the release, what is owed to visitors.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use futures::future::join;
use twinsite_aws::AwsError;
use twinsite_core::{Event, Pair, ResourceId, Run};
use twinsite_sync::lock::{self, Lease, Lock, LockError, Owed, Owner};
use twinsite_sync::mirror::{Filled, Level};
use twinsite_sync::release::{self, Collected};
use twinsite_sync::{
    Index, Interrupted, Notes, Options, Prepared, Published, Publishing, Report, Rules, S3Store, Source, SyncError,
    prepare, publish,
};

use super::{Deployed, commit};
use crate::args::Publish;
use crate::error::Failure;
use crate::stack::Stack;

/// What is to be published, and how.
pub(super) struct Order<'a> {
    /// The rest of a sentence that begins with `could not`.
    pub(super) what: &'static str,
    /// What is done, in one word.
    pub(super) verb: &'static str,
    pub(super) source: &'a Source,
    pub(super) rules: &'a Rules,
    pub(super) options: Options,
    pub(super) notes: Notes,
    pub(super) flags: &'a Publish,
    pub(super) index: &'a Index,
    /// The directory whose commit must not be older than the live one, if that matters.
    pub(super) newer_than: Option<&'a Path>,
}

/// What was published, how many paths are to be forgotten, and what was let go of.
type Finished = (Published, Option<usize>, Collected);

/// What became of an order.
pub(super) enum Carried {
    Done(Box<Deployed>),
    /// Nothing was published, and why.
    Skipped(String),
}

impl Order<'_> {
    fn failed(&self, error: &SyncError) -> Failure {
        Failure::sync(self.what, error)
    }

    /// Looks at both buckets and plans.
    pub(super) async fn prepare(&self, stores: &Pair<S3Store>, run: &Run) -> Result<Prepared, Failure> {
        let both = (&stores.primary, &stores.backup);
        let prepared = Box::pin(prepare(self.source, both, &self.options, self.index, run)).await;
        let mut prepared = prepared.map_err(|error| self.failed(&error))?;
        let found = Box::pin(release::find_versions(&mut prepared.plan, &stores.primary)).await;
        found.map_err(|error| self.failed(&error))?;
        Ok(prepared)
    }

    /// Publishes what was prepared, under the lock.
    pub(super) async fn carry_out(self, stack: &Stack, prepared: Prepared, run: &Run) -> Result<Carried, Failure> {
        if prepared.is_empty() {
            let kept = prepared.plan.kept();
            let report = Report { kept, ..Report::default() };
            return finish(stack, report, None).await.map(|done| Carried::Done(Box::new(done)));
        }
        let stores = stack.stores();
        let lease = Lease {
            timeout: Duration::from_secs(self.flags.lock_timeout),
            // Once is enough: a store does not learn or unlearn it.
            probe: prepared.plan.releases().is_empty(),
            ..Lease::default()
        };
        let owner = Owner { who: stack.who(), ..Owner::here(self.verb) };
        let owed = Owed { record: true, ..prepared.owed() };
        let lock = Box::pin(lock::take(&stores.primary, owner, owed, lease, run)).await;
        let mut lock = lock.map_err(|error| self.failed(&error.into()))?;
        let done = Box::pin(self.locked((stack, &stores), prepared, &mut lock, run)).await;
        if let Err(error @ LockError::Store(_)) = Box::pin(lock.free()).await {
            warn(run, format!("the lock could not be taken away: {error}"), "the next deploy waits a minute for it");
        }
        let (published, forgotten, collected) = match done? {
            Ok(done) => done,
            Err(why) => return Ok(Carried::Skipped(why)),
        };
        let Published { report, drift, level, release } = published;
        let deployed = finish(stack, report, forgotten).await?;
        Ok(Carried::Done(Box::new(Deployed { drift, level, release, collected, ..deployed })))
    }

    /// Works while the lock is renewed.
    async fn under<T>(
        &self,
        lock: &mut Lock<'_, S3Store>,
        run: &Run,
        work: impl AsyncFnOnce(Run) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match Box::pin(lock.hold(run, work)).await {
            (_, Some(lost)) => Err(self.failed(&SyncError::Lock(lost))),
            (done, None) => done,
        }
    }

    /// What happens under the lock; or why nothing was published.
    async fn locked(
        &self,
        (stack, stores): (&Stack, &Pair<S3Store>),
        prepared: Prepared,
        lock: &mut Lock<'_, S3Store>,
        run: &Run,
    ) -> Result<Result<Finished, String>, Failure> {
        let waited = lock.was_waited_for();
        let ready = async |run: Run| Box::pin(self.renewed(stores, prepared, waited, &run)).await;
        let prepared = match self.under(lock, run, ready).await {
            Ok(Ok(prepared)) => prepared,
            // What a publish that died has owed must not be forgotten with its lock.
            Ok(Err(why)) => {
                self.note(&stores.primary, lock.inherited(), run).await;
                return Ok(Err(why));
            }
            Err(failure) => {
                self.note(&stores.primary, lock.inherited(), run).await;
                return Err(failure);
            }
        };
        let owes = Box::pin(lock.owe(prepared.owed())).await;
        owes.map_err(|error| self.failed(&error.into()))?;
        let noted = prepared.is_owed();
        let owes = noted || lock.owed().all || !lock.owed().keys.is_empty();
        let work = async |run: Run| Box::pin(self.publish(stores, prepared, &run)).await;
        let (published, door) = join(self.under(lock, run, work), find_door(stack, owes)).await;
        let mut owed = lock.owed().clone();
        owed.record = published.is_err();
        if noted {
            let earlier = Box::pin(lock::read_owed(&stores.primary)).await;
            owed.join(Owed { record: owed.record, ..earlier.map_err(|error| self.failed(&error.into()))? });
        }
        let published = match published {
            Ok(published) => published,
            Err(failure) => {
                // What has changed so far is forgotten by the edges when the rest has changed as well.
                self.note(&stores.primary, &owed, run).await;
                return Err(failure);
            }
        };
        let after = async |run: Run| {
            let forgotten = self.pay((stack, door), &owed, noted, &run).await;
            Ok((forgotten, self.collect(stack, stores, &published, &run).await))
        };
        let (forgotten, collected) = self.under(lock, run, after).await?;
        Ok(Ok((published, forgotten, collected)))
    }

    /// Plans anew should somebody else have published since; or says why nothing should be published any more.
    async fn renewed(
        &self,
        stores: &Pair<S3Store>,
        prepared: Prepared,
        waited: bool,
        run: &Run,
    ) -> Result<Result<Prepared, String>, Failure> {
        let fresh =
            !waited && Box::pin(prepared.is_fresh(&stores.primary)).await.map_err(|error| self.failed(&error))?;
        if fresh {
            return Ok(Ok(prepared));
        }
        let prepared = self.prepare(stores, run).await?;
        let mine = self.notes.commit.as_ref();
        let older = commit::is_older(self.newer_than, mine, &prepared, &stores.primary).await?;
        Ok(older.map_or(Ok(prepared), Err))
    }

    async fn publish(&self, stores: &Pair<S3Store>, prepared: Prepared, run: &Run) -> Result<Published, Failure> {
        let patience = Duration::from_secs(self.flags.parity_timeout);
        let how = Publishing { source: self.source, rules: self.rules, patience, notes: self.notes.clone() };
        let both = (&stores.primary, &stores.backup);
        let published = Box::pin(publish(prepared, both, how, self.index, run)).await;
        published.map_err(|stopped: Interrupted| Failure::interrupted(self.what, &stopped))
    }

    /// Has CloudFront forget what changed. The site is published by now, so what goes wrong here is worth a word and a
    /// note for the next publish, and no more.
    async fn pay(&self, (stack, door): (&Stack, Door), owed: &Owed, noted: bool, run: &Run) -> Option<usize> {
        let mut keys: BTreeSet<String> = owed.keys.clone();
        if owed.all {
            keys.insert("*".to_owned());
        }
        let paid = match door {
            Ok(Some(door)) => stack.invalidate(door, &keys, self.flags.wait, run).await,
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        let primary = stack.stores().primary;
        match paid {
            Ok(paths) => {
                if noted {
                    // Should the note stay, the next publish pays once more, which does no harm.
                    drop(Box::pin(lock::clear_owed(&primary)).await);
                }
                paths
            }
            Err(error) => {
                let text = format!("CloudFront may serve old copies for up to a day: {error}");
                warn(run, text, "it is noted in the bucket, and the next deploy sends it, even if nothing has changed");
                self.note(&primary, owed, run).await
            }
        }
    }

    async fn note(&self, primary: &S3Store, owed: &Owed, run: &Run) -> Option<usize> {
        if !owed.is_empty()
            && let Err(error) = Box::pin(lock::note_owed(primary, owed)).await
        {
            let text = format!("what CloudFront is to forget could not be noted: {error}");
            warn(run, text, "invalidate `/*` in the CloudFront console");
        }
        None
    }

    /// Lets go of what only releases need that are not kept.
    async fn collect(&self, stack: &Stack, stores: &Pair<S3Store>, published: &Published, run: &Run) -> Collected {
        let Some(newest) = &published.release else { return Collected::default() };
        let keep = stack.config.keep;
        // The numbers are consecutive but for rare races, and the count is only a hint.
        if !release::is_due_at(newest.id, &keep) {
            return Collected::default();
        }
        let mut collected = Collected::default();
        for store in [&stores.backup, &stores.primary] {
            match Box::pin(release::collect(store, &keep)).await {
                Ok(done) => collected = done,
                Err(error) => {
                    let text = format!("old releases could not be collected in `{}`: {error}", store.bucket());
                    warn(run, text, "nothing depends on it; the next deploys try again");
                }
            }
        }
        collected
    }
}

/// The distribution before the site, as far as that could be told.
type Door = Result<Option<ResourceId>, AwsError>;

/// Looks for it while there is something else to do: only what is owed to visitors needs it.
async fn find_door(stack: &Stack, is_needed: bool) -> Door {
    if is_needed { Box::pin(stack.distribution()).await } else { Ok(None) }
}

fn warn(run: &Run, text: String, hint: &str) {
    run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
}

async fn finish(stack: &Stack, report: Report, forgotten: Option<usize>) -> Result<Deployed, Failure> {
    stack.keep()?;
    let requests = stack.requests().await;
    let urls = Pair::from_fn(|side| stack.url(side));
    let (drift, level, collected) = (Filled::default(), Level::default(), Collected::default());
    Ok(Deployed { report, drift, level, release: None, collected, urls, local: stack.is_local(), requests, forgotten })
}
