//! The commit that a directory was built from, according to git.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;
use twinsite_sync::release::{self, Commit};
use twinsite_sync::{Prepared, Store, SyncError};

use crate::error::{Context, Error};

const OPERATION: &str = "compare commits";

/// The output of a git command.
struct GitOutput {
    success: bool,
    stdout: String,
}

/// Runs a git command in a directory; `None` without git or without a repository.
///
/// The directory is not trusted: its configuration may name programs (`gpg.program`, `core.fsmonitor`, a promisor remote with
/// an `ext::` URL). Only plumbing commands are used, which start none of the former, and every transport is disabled.
/// <https://git-scm.com/docs/git#Documentation/git.txt-codeGITALLOWPROTOCOLcode>
async fn git(dir: &Path, args: &[&str]) -> Option<GitOutput> {
    let mut command = Command::new("git");
    command.arg("--no-pager").arg("-c").arg("core.fsmonitor=false").arg("-C").arg(dir).args(args);
    command.env("GIT_ALLOW_PROTOCOL", "none").env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0");
    let output = command.stdin(Stdio::null()).output().await.ok()?;
    let stdout = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code()? {
        0 => Some(GitOutput { success: true, stdout }),
        1 => Some(GitOutput { success: false, stdout }),
        _ => None,
    }
}

/// The commit of a directory: the given one, or the one that is checked out.
pub(crate) async fn commit_of(dir: &Path, given: Option<&str>) -> Option<Commit> {
    let revision = format!("{}^{{commit}}", given.unwrap_or("HEAD"));
    let known = async {
        let id = git(dir, &["rev-parse", "--verify", "--quiet", "--end-of-options", &revision]).await?.stdout;
        if !is_object_id(&id) {
            return None;
        }
        let commit = git(dir, &["cat-file", "commit", &id]).await.filter(|output| output.success)?;
        let time = committed(&commit.stdout)?;
        Some(Commit { id, time })
    };
    // Without a repository, the given id is recorded without a date.
    known.await.or_else(|| given.filter(|id| !id.is_empty()).map(|id| Commit { id: id.to_owned(), time: 0 }))
}

/// The committer date of a commit object, in seconds since 1970.
fn committed(object: &str) -> Option<i64> {
    let headers = object.split("\n\n").next()?;
    let committer = headers.lines().find_map(|line| line.strip_prefix("committer "))?;
    committer.rsplit(' ').nth(1)?.parse().ok()
}

/// A full object id; anything else could be read as an option or an expression.
fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
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
    let mut newest = None;
    for id in prepared.plan.releases().iter().rev() {
        match Box::pin(release::summary(store, *id)).await {
            // What it was built from is not known any more: the one before tells at least as much.
            Ok(None) | Err(SyncError::DamagedRecord { .. }) => {}
            found => {
                newest = found.context(OPERATION)?;
                break;
            }
        }
    }
    let Some(newest) = newest else { return Ok(None) };
    let Some(live) = newest.notes.commit else { return Ok(None) };
    if live.id == commit.id {
        return Ok(None);
    }
    // A shallow clone may lack the other commit; then the commit dates decide.
    let known = is_object_id(&commit.id) && is_object_id(&live.id);
    let ancestor = if known { git(dir, &["merge-base", "--is-ancestor", &commit.id, &live.id]).await } else { None };
    if ancestor.is_none() && commit.time == 0 {
        let why =
            format!("the commit `{}` is not in the repository of the directory, so its age is unknown", commit.id);
        return Err(Error::usage(OPERATION, why).hint("fetch it, or omit --if-newer"));
    }
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    fn run(dir: &Path, args: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
        let status = Command::new("git").arg("-C").arg(dir).args(identity).args(args).output().unwrap().status;
        assert!(status.success(), "{args:?}");
    }

    fn repository() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        run(dir.path(), &["init", "--quiet"]);
        run(dir.path(), &["commit", "--quiet", "--allow-empty", "--message", "one"]);
        dir
    }

    /// Replaces the commit by one with a signature, which `git show` would verify.
    fn sign_head(dir: &Path) {
        let object =
            Command::new("git").arg("-C").arg(dir).args(["cat-file", "commit", "HEAD"]).output().unwrap().stdout;
        let signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n";
        let signed = String::from_utf8(object).unwrap().replacen("\n\n", &format!("\n{signature}"), 1);
        fs::write(dir.join("signed"), signed).unwrap();
        let hashed = ["hash-object", "-t", "commit", "-w", "signed"];
        let id = Command::new("git").arg("-C").arg(dir).args(hashed).output().unwrap().stdout;
        run(dir, &["update-ref", "HEAD", String::from_utf8(id).unwrap().trim()]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn programs_named_by_the_directorys_configuration_are_not_run() {
        use std::os::unix::fs::PermissionsExt;

        let dir = repository();
        sign_head(dir.path());
        let (program, mark) = (dir.path().join("program"), dir.path().join("was-run"));
        fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", mark.display())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let program = program.display();
        let config = format!(
            "[log]\nshowSignature = true\n[gpg]\nprogram = {program}\n[core]\nfsmonitor = {program}\npager = {program}\n\
             [diff]\nexternal = {program}\n[remote \"o\"]\nurl = ext::{program}\npromisor = true\nuploadpack = {program}\n\
             [protocol \"ext\"]\nallow = always\n[extensions]\npartialClone = o\n"
        );
        let path = dir.path().join(".git/config");
        fs::write(
            &path,
            fs::read_to_string(&path).unwrap().replace("repositoryformatversion = 0", "repositoryformatversion = 1")
                + &config,
        )
        .unwrap();
        assert!(commit_of(dir.path(), None).await.is_some());
        // A missing object would be fetched from the promisor remote.
        commit_of(dir.path(), Some(&"1".repeat(40))).await;
        assert!(!mark.exists());
    }

    #[tokio::test]
    async fn a_commit_is_never_an_option() {
        let dir = repository();
        let file = dir.path().join("file");
        fs::write(&file, "kept").unwrap();
        let given = format!("--output={}", file.display());
        let commit = commit_of(dir.path(), Some(&given)).await.unwrap();
        assert_eq!((commit.id, commit.time), (given, 0));
        assert_eq!(fs::read_to_string(file).unwrap(), "kept");
    }

    #[tokio::test]
    async fn the_commit_of_a_repository_has_a_date() {
        let dir = repository();
        let commit = commit_of(dir.path(), None).await.unwrap();
        assert!(is_object_id(&commit.id) && commit.time > 1_700_000_000, "{commit:?}");
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(commit_of(empty.path(), Some("build-7")).await.map(|commit| commit.id).as_deref(), Some("build-7"));
    }
}
