//! Planning a publish: reads both sides, changes nothing, leaves no choice to the transfer.

mod bytes;
mod headers;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Instant;

use twinsite_core::{Event, Phase, Run, Side};

use crate::diff::extraneous;
use crate::ledger::{self, Line, Lines};
use crate::listing::list;
use crate::{Index, Key, Md5, RemoteObject, Source, SourceObject, Store, SyncError};

/// Why an object moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not in the bucket.
    Absent,
    /// Its size differs.
    Size,
    /// Its size is the same, its bytes are not.
    Content,
    /// These headers differ; its bytes do not.
    Metadata(Vec<&'static str>),
    /// The owner asked for everything to be sent.
    Forced,
}

impl Reason {
    /// The one word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Size => "size",
            Self::Content => "content",
            Self::Metadata(_) => "metadata",
            Self::Forced => "forced",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metadata(names) if !names.is_empty() => write!(f, "metadata ({})", names.join(", ")),
            _ => f.write_str(self.word()),
        }
    }
}

/// Which objects that the source no longer has are deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletes {
    /// None.
    None,
    /// Those that an earlier publish put there.
    #[default]
    Owned,
    /// All but protected ones.
    All,
}

/// The most that one publish may delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Up to so many objects are always allowed.
    pub count: usize,
    /// Beyond that, up to this share of all objects, in percent.
    pub percent: u8,
}

impl Default for Guard {
    fn default() -> Self {
        Self { count: 100, percent: 25 }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} objects or {} %", self.count, self.percent)
    }
}

/// How to publish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What is deleted.
    pub deletes: Deletes,
    /// How much may be deleted.
    pub guard: Guard,
    /// Whether everything is sent, changed or not.
    pub send: Sending,
    /// Which side the bucket is of, for those who watch.
    pub side: Option<Side>,
}

/// What is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sending {
    /// What differs.
    #[default]
    Changed,
    /// Everything.
    All,
}

/// An object to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The file.
    pub object: SourceObject,
    /// Why.
    pub reason: Reason,
}

/// An object whose headers are to be replaced in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The file it was put from.
    pub object: SourceObject,
    /// Which headers differ.
    pub reason: Reason,
}

/// An object to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// Its key.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
}

/// Everything that a publish to one bucket will do.
#[derive(Debug)]
pub struct SyncPlan {
    pub(crate) puts: Vec<Put>,
    pub(crate) rewrites: Vec<Rewrite>,
    pub(crate) deletes: Vec<Delete>,
    pub(crate) kept: usize,
    pub(crate) foreign: Vec<Key>,
    pub(crate) notes: Vec<Key>,
    pub(crate) ledger: Ledger,
    pub(crate) side: Option<Side>,
}

/// The bookkeeping at the end.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) key: Key,
    pub(crate) lines: BTreeMap<Key, Line>,
    pub(crate) stale: Vec<Key>,
    pub(crate) current: bool,
}

impl SyncPlan {
    /// What is put, in key order.
    pub fn puts(&self) -> &[Put] {
        &self.puts
    }

    /// What is rewritten in place, in key order.
    pub fn rewrites(&self) -> &[Rewrite] {
        &self.rewrites
    }

    /// What is deleted, in key order.
    pub fn deletes(&self) -> &[Delete] {
        &self.deletes
    }

    /// How many objects are as they should be.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Objects in the bucket that neither the source nor an earlier publish knows. They stay.
    pub fn foreign(&self) -> &[Key] {
        &self.foreign
    }

    /// What lies in the private corner beside the ledgers: notes of other commands.
    pub fn notes(&self) -> &[Key] {
        &self.notes
    }

    /// Bytes that are sent.
    pub fn bytes(&self) -> u64 {
        self.puts.iter().map(|put| put.object.size).sum()
    }

    /// True when nothing in the bucket says that it was published to before.
    pub fn is_first(&self) -> bool {
        !self.ledger.current && self.ledger.stale.is_empty()
    }

    /// True when every object is as it should be.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.rewrites.is_empty() && self.deletes.is_empty()
    }
}

/// Compares a source with a bucket. Makes list requests, and more only where a listing cannot tell.
///
/// # Errors
/// [`SyncError`]; nothing has been changed then.
pub async fn plan(
    source: &Source,
    store: &impl Store,
    options: &Options,
    index: &Index,
    run: &Run,
) -> Result<SyncPlan, SyncError> {
    let started = Instant::now();
    let side = options.side;
    run.say(&Event::PhaseStarted { phase: Phase::List, side, objects: None, bytes: None });
    let listing = list(source, store).await?;
    run.say(&Event::PhaseDone { phase: Phase::List, side, took: started.elapsed() });
    let mut desk = Desk::new(source, store, &listing, options);
    desk.consult().await?;
    let bytes = desk.compare_bytes(index, run).await?;
    if run.is_cancelled() {
        return Err(SyncError::Cancelled);
    }
    let rewrites = desk.compare_headers(&bytes.same, run).await?;
    let (deletes, foreign) = desk.deletes()?;
    let ledger = desk.ledger(&bytes.digests, &deletes);
    let kept = bytes.same.len() - rewrites.len();
    let notes = listing.iter().filter(|object| ledger::is_note(&object.key)).map(|object| object.key.clone()).collect();
    Ok(SyncPlan { puts: bytes.puts, rewrites, deletes, kept, foreign, notes, ledger, side })
}

/// Everything that planning looks at.
struct Desk<'a, S> {
    source: &'a Source,
    store: &'a S,
    options: &'a Options,
    listing: &'a [RemoteObject],
    remote: HashMap<&'a str, &'a RemoteObject>,
    ledgers: Vec<&'a RemoteObject>,
    wanted: Key,
    /// What the newest ledger says; `None` when it was not needed.
    lines: Option<Lines>,
}

impl<'a, S: Store> Desk<'a, S> {
    fn new(source: &'a Source, store: &'a S, listing: &'a [RemoteObject], options: &'a Options) -> Self {
        let remote = listing.iter().map(|object| (object.key.as_str(), object)).collect();
        let ledgers = ledger::ledgers(listing);
        let wanted = ledger::key_for(&source.objects);
        Self { source, store, options, listing, remote, ledgers, wanted, lines: None }
    }

    /// True when the newest ledger has the name that the source asks for.
    fn is_current(&self) -> bool {
        self.ledgers.last().is_some_and(|newest| newest.key == self.wanted)
    }

    /// When the newest ledger was written; nothing is older when there is none.
    fn written(&self) -> i64 {
        self.ledgers.last().map_or(i64::MIN, |newest| newest.modified)
    }

    /// Reads the ledger, if the listing alone does not tell enough.
    async fn consult(&mut self) -> Result<(), SyncError> {
        let public = self.listing.iter().filter(|object| !object.key.is_reserved());
        let names: std::collections::HashSet<&str> =
            self.source.objects.iter().map(|object| object.key.as_str()).collect();
        let mut extra = public.clone().filter(|object| !names.contains(object.key.as_str()));
        let opaque = public.clone().any(|object| matches!(object.etag, crate::ETag::Opaque(_)));
        let needed = !self.is_current() || opaque || extra.any(|object| !self.source.is_protected(&object.key));
        if let (true, Some(newest)) = (needed, self.ledgers.last()) {
            self.lines = Some(ledger::read(self.store, &newest.key).await?);
        }
        Ok(())
    }

    fn line(&self, key: &Key) -> Option<&Line> {
        self.lines.as_ref()?.get(key)
    }

    /// What is to be deleted, and what is nobody's.
    fn deletes(&self) -> Result<(Vec<Delete>, Vec<Key>), SyncError> {
        let wanted = self.source.objects.iter().map(|object| (object.key.as_str(), object)).collect();
        let none = Lines::new();
        let extra = extraneous(self.listing, &wanted, self.lines.as_ref().unwrap_or(&none));
        let extra = extra.into_iter().filter(|(object, _)| !self.source.is_protected(&object.key));
        let (mut deletes, mut foreign) = (Vec::new(), Vec::new());
        for (object, owned) in extra {
            match (self.options.deletes, owned) {
                (Deletes::All, _) | (Deletes::Owned, true) => {
                    deletes.push(Delete { key: object.key.clone(), size: object.size });
                }
                (Deletes::Owned | Deletes::None, false) => foreign.push(object.key.clone()),
                (Deletes::None, true) => {}
            }
        }
        self.guard(&deletes)?;
        Ok((deletes, foreign))
    }

    fn guard(&self, deletes: &[Delete]) -> Result<(), SyncError> {
        let Guard { count, percent } = self.options.guard;
        let owned = self.listing.iter().filter(|object| !object.key.is_reserved()).count();
        let share = owned * usize::from(percent) / 100;
        if deletes.len() <= count.max(share) {
            return Ok(());
        }
        Err(SyncError::TooManyDeletes {
            count: deletes.len(),
            owned,
            guard: self.options.guard.to_string(),
            examples: deletes.iter().take(3).map(|delete| delete.key.clone()).collect(),
        })
    }

    /// The ledger to be written: the source's keys, and those of ours that stay although the source lost them.
    fn ledger(&self, digests: &HashMap<Key, Md5>, deletes: &[Delete]) -> Ledger {
        let mut lines = ledger::lines(&self.source.objects, digests);
        let gone: std::collections::HashSet<&Key> = deletes.iter().map(|delete| &delete.key).collect();
        for key in self.lines.iter().flat_map(|lines| lines.keys()) {
            if self.remote.contains_key(key.as_str()) && !gone.contains(key) {
                lines.entry(key.clone()).or_default();
            }
        }
        let mut stale: Vec<Key> = self.ledgers.iter().map(|object| object.key.clone()).collect();
        stale.retain(|key| *key != self.wanted);
        Ledger { key: self.wanted.clone(), lines, stale, current: self.is_current() }
    }
}
