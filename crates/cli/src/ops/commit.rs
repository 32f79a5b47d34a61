//! Where a directory was built from: git tells, where there is one.

use std::path::Path;

use tokio::process::Command;
use twinsite_sync::release::{self, Commit};
use twinsite_sync::{Prepared, S3Store};

use crate::error::Failure;

const WHAT: &str = "find out which commit is newer";

/// What git says, in the directory; `None` where there is no git, or nothing under it.
async fn git(dir: &Path, args: &[&str]) -> Option<(bool, String)> {
    let output = Command::new("git").arg("-C").arg(dir).args(args).output().await.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code()? {
        0 => Some((true, text)),
        1 => Some((false, text)),
        _ => None,
    }
}

/// The commit of a directory: the one named, else the one that is checked out around it.
pub(super) async fn of(dir: &Path, named: Option<&str>) -> Result<Option<Commit>, Failure> {
    let shown = git(dir, &["show", "--no-patch", "--format=%H %ct", named.unwrap_or("HEAD")]).await;
    let known = shown.filter(|(ok, _)| *ok).and_then(|(_, text)| {
        let (id, time) = text.lines().last()?.split_once(' ')?;
        Some(Commit { id: id.to_owned(), time: time.parse().ok()? })
    });
    // Without a repository at hand, what was named is all there is to know.
    let named = named.filter(|id| !id.is_empty()).map(|id| Commit { id: id.to_owned(), time: 0 });
    Ok(known.or(named))
}

/// Why the commit of a directory must not be published over the newest release; `None` when it may, or nobody minds.
pub(super) async fn is_older(
    dir: Option<&Path>,
    mine: Option<&Commit>,
    prepared: &Prepared,
    store: &S3Store,
) -> Result<Option<String>, Failure> {
    let Some(dir) = dir else { return Ok(None) };
    let Some(mine) = mine else {
        let why = "the directory is in no git repository, so it cannot be told how old it is";
        return Err(Failure::usage(WHAT, why).hint("name the commit with --commit, or leave --if-newer out"));
    };
    let Some(newest) = prepared.plan.releases().last() else { return Ok(None) };
    let newest = Box::pin(release::read(store, *newest)).await.map_err(|error| Failure::sync(WHAT, &error))?;
    let Some(newest) = newest.map(|release| release.summary) else { return Ok(None) };
    let Some(live) = newest.notes.commit else { return Ok(None) };
    if live.id == mine.id {
        return Ok(None);
    }
    // A shallow clone does not know the other commit; then their dates decide.
    let ancestor = git(dir, &["merge-base", "--is-ancestor", &mine.id, &live.id]).await;
    let older = ancestor.map_or(mine.time < live.time, |(is, _)| is);
    let short = |id: &str| id.chars().take(12).collect::<String>();
    Ok(older.then(|| {
        format!("release {} is of commit {}, which is newer than {}", newest.id, short(&live.id), short(&mine.id))
    }))
}
