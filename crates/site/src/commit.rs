//! The commit that a directory was built from, according to git.

use std::path::Path;

use tokio::process::Command;
use twinsite_sync::release::{self, Commit};
use twinsite_sync::{Prepared, Store};

use crate::error::{Context, Error};

const OPERATION: &str = "compare commits";

/// The output of a git command.
struct GitOutput {
    success: bool,
    stdout: String,
}

/// Runs git in a directory; `None` without git or without a repository.
async fn git(dir: &Path, args: &[&str]) -> Option<GitOutput> {
    let output = Command::new("git").arg("-C").arg(dir).args(args).output().await.ok()?;
    let stdout = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code()? {
        0 => Some(GitOutput { success: true, stdout }),
        1 => Some(GitOutput { success: false, stdout }),
        _ => None,
    }
}

/// The commit of a directory: the given one, or the one that is checked out.
pub(crate) async fn commit_of(dir: &Path, given: Option<&str>) -> Option<Commit> {
    let shown = git(dir, &["show", "--no-patch", "--format=%H %ct", given.unwrap_or("HEAD")]).await;
    let known = shown.filter(|output| output.success).and_then(|output| {
        let (id, time) = output.stdout.lines().last()?.split_once(' ')?;
        Some(Commit { id: id.to_owned(), time: time.parse().ok()? })
    });
    // Without a repository, the given id is recorded without a date.
    known.or_else(|| given.filter(|id| !id.is_empty()).map(|id| Commit { id: id.to_owned(), time: 0 }))
}

/// Why a commit is not published over the newest release: that was built from a newer one. `None` if it was not.
pub(crate) async fn newer_release<S: Store>(
    dir: &Path,
    commit: Option<&Commit>,
    prepared: &Prepared,
    store: &S,
) -> Result<Option<String>, Error> {
    let Some(commit) = commit else {
        let why = "the directory is not in a git repository, so its age is unknown";
        return Err(Error::usage(OPERATION, why).hint("name the commit with --commit, or omit --if-newer"));
    };
    let Some(newest) = prepared.plan.releases().last() else { return Ok(None) };
    let newest = Box::pin(release::read(store, *newest)).await.context(OPERATION)?;
    let Some(newest) = newest.map(|release| release.summary) else { return Ok(None) };
    let Some(live) = newest.notes.commit else { return Ok(None) };
    if live.id == commit.id {
        return Ok(None);
    }
    // A shallow clone may lack the other commit; then the commit dates decide.
    let ancestor = git(dir, &["merge-base", "--is-ancestor", &commit.id, &live.id]).await;
    let older = ancestor.map_or(commit.time < live.time, |output| output.success);
    let short = |id: &str| id.chars().take(12).collect::<String>();
    let why = format!(
        "release {} was built from commit {}, which is newer than {}",
        newest.id,
        short(&live.id),
        short(&commit.id)
    );
    Ok(older.then_some(why))
}
