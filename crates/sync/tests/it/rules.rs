//! What is published from a directory, and what never is.

use std::path::Path;

use twinsite_sync::{Deletes, MemoryStore, Options, Rules, Source, SourceError, SyncError, Wave, walk};

use crate::{contents, publish, site, try_publish, write};

fn keys(source: &Source) -> Vec<&str> {
    source.objects().iter().map(|object| object.key.as_str()).collect()
}

fn has(source: &Source, key: &str) -> bool {
    source.get(&key.parse().unwrap()).is_some()
}

fn read(dir: &Path) -> Source {
    walk(dir, &Rules::web()).unwrap()
}

const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n";

/// Names that no site has on purpose.
const SECRETS: [&str; 40] = [
    ".env",
    ".env.production",
    "app/.env.local",
    ".ENV",
    ".ssh/id_rsa",
    ".ssh/config",
    "id_ed25519",
    "backup/ID_RSA",
    ".aws/credentials",
    ".npmrc",
    ".pypirc",
    ".netrc",
    ".git-credentials",
    ".htpasswd",
    "terraform.tfstate",
    "infra/terraform.tfstate.backup",
    "prod.tfvars",
    "passwords.kdbx",
    "cert.p12",
    "cert.pfx",
    "release.jks",
    "key.ppk",
    "dump.sql",
    "dump.sql.gz",
    "data.sqlite3",
    ".git",
    ".gitmodules",
    "docs/.DS_Store",
    "._index.html",
    ".svn/entries",
    "index.html~",
    ".index.html.swp",
    "wp-config.php.bak",
    "wp-config.php",
    ".vscode/sftp.json",
    ".idea/workspace.xml",
    "my-service-account.json",
    ".kube/config",
    ".bash_history",
    "twinsite.toml",
];

#[test]
fn secrets_are_not_published() {
    let dir = site();
    let before = read(dir.path()).objects().len();
    for name in SECRETS {
        write(dir.path(), name, "secret");
    }
    write(dir.path(), "certs/server.key", KEY);
    write(dir.path(), "certs/bundle.pem", &format!("-----BEGIN CERTIFICATE-----\n{KEY}"));
    write(dir.path(), "deploy_key", KEY);
    let source = read(dir.path());
    assert_eq!(source.objects().len(), before, "{:?}", keys(&source));
}

#[test]
fn what_only_resembles_a_secret_is_published() {
    let dir = site();
    let names = [
        ".well-known/security.txt",
        ".well-known/apple-app-site-association",
        ".nojekyll",
        "environment.html",
        "id_rsa.pub",
        "docs/sql.html",
        "talk.key",
        "ca.pem",
        "gitleaks.html",
        "appsettings.json",
    ];
    for name in names {
        write(dir.path(), name, "PK public");
    }
    let source = read(dir.path());
    for name in names {
        assert!(has(&source, name), "{name}");
    }
}

#[test]
fn a_secret_is_published_only_if_it_is_named() {
    let dir = site();
    write(dir.path(), ".env", "A=1");
    write(dir.path(), "dump.sql", "select 1");
    write(dir.path(), "certs/server.key", KEY);
    for broad in ["!*", "!**", "!/**", "!.*", "!*.*", "!certs/", "!/*"] {
        write(dir.path(), ".twinsiteignore", broad);
        let source = read(dir.path());
        assert!(!has(&source, ".env") && !has(&source, "certs/server.key"), "{broad}: {:?}", keys(&source));
    }
    write(dir.path(), ".twinsiteignore", "!/.env\n!*.key\n");
    let source = read(dir.path());
    assert!(has(&source, ".env") && has(&source, "certs/server.key") && !has(&source, "dump.sql"));
    let rules = Rules::web().ignore("!dump.sql").unwrap();
    assert!(has(&walk(dir.path(), &rules).unwrap(), "dump.sql"));
}

#[cfg(unix)]
#[test]
fn links_do_not_rename_secrets() {
    use std::os::unix::fs::symlink;
    let dir = site();
    write(dir.path(), ".env", "A=1");
    write(dir.path(), ".aws/credentials", "A=1");
    write(dir.path(), ".twinsite/local/ca.txt", "A=1");
    symlink(".env", dir.path().join("settings.txt")).unwrap();
    symlink(".aws", dir.path().join("cloud")).unwrap();
    symlink(".twinsite", dir.path().join("state")).unwrap();
    let source = read(dir.path());
    for key in ["settings.txt", "cloud/credentials", "state/local/ca.txt"] {
        assert!(!has(&source, key), "{key}");
    }
}

#[tokio::test]
async fn what_was_published_is_deleted_when_a_rule_keeps_it_out() {
    let (dir, store) = (site(), MemoryStore::default());
    write(dir.path(), "settings.txt", "x");
    write(dir.path(), "assets/private.png", "x");
    publish(dir.path(), &store).await;
    write(dir.path(), ".twinsiteignore", "/settings.txt\n/assets/private.png\n");
    let none = Options { deletes: Deletes::None, ..Options::default() };
    assert_eq!(try_publish(dir.path(), &store, &none).await.unwrap().deleted, 0);
    assert_eq!(publish(dir.path(), &store).await.deleted, 2);
    assert_eq!(publish(dir.path(), &store).await.deleted, 0);
    let left = contents(&store).await;
    assert!(
        left.keys().all(|key| !["settings.txt", "assets/private.png"].contains(&key.as_str())),
        "{:?}",
        left.keys()
    );
}

fn fault(dir: &Path) -> String {
    match walk(dir, &Rules::web()) {
        Err(error @ SourceError::Unpublishable(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn ignore_files_in_utf_16_are_read() {
    let dir = site();
    write(dir.path(), "secret.txt", "x");
    let text = "secret.txt\r\n";
    for big in [false, true] {
        let mut bytes = if big { vec![0xfe, 0xff] } else { vec![0xff, 0xfe] };
        bytes.extend(text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }));
        std::fs::write(dir.path().join(".twinsiteignore"), bytes).unwrap();
        assert!(!has(&read(dir.path()), "secret.txt"));
    }
    write(dir.path(), ".twinsiteignore", "\u{feff}secret.txt\r\n");
    assert!(!has(&read(dir.path()), "secret.txt"));
}

#[test]
fn ignore_files_that_cannot_be_understood_are_refused() {
    let dir = site();
    let file = dir.path().join(".twinsiteignore");
    for (bytes, place) in [
        (&b"a\nsecr\xe9t.txt\n"[..], "line 2, column 5"),
        (b"s\0e\0c\0", "line 1, column 2"),
        (b"ok\nab[c\n", "line 2, column 3"),
        (b"ok\n\n[z-a]\n", "line 3, column 1"),
        (b"a{b\n", "line 1, column 2"),
        (b"!\n", "line 1, column 1"),
        (b"one\rtwo\r", "line 1, column 4"),
        (b"name\\\n", "line 1, column 5"),
        (b"\xff\xfea", "line 1"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let text = fault(dir.path());
        assert!(text.contains(".twinsiteignore") && text.contains(place), "{bytes:?}: {text}");
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(fault(dir.path()).contains(".twinsiteignore"));
    std::fs::remove_dir(&file).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(pipe.success() && fault(dir.path()).contains("is not a file"));
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("nowhere", &file).unwrap();
    assert!(fault(dir.path()).contains("cannot be read"));
    std::fs::remove_file(&file).unwrap();
    write(dir.path(), "assets/.twinsiteignore", "a[");
    assert!(fault(dir.path()).contains("line 1, column 2"));
}

#[test]
fn patterns_that_cannot_be_understood_are_refused() {
    for pattern in ["a[", "[z-a]", "!", "a\0b", "name\\", "two\nlines", "a{b"] {
        assert!(Rules::web().ignore(pattern).is_err(), "{pattern:?}");
    }
    for pattern in ["*.map", "#hash", "", "!keep", "/a/**/b", "a\\ ", "[!a]*"] {
        assert!(Rules::web().ignore(pattern).is_ok(), "{pattern:?}");
    }
}

#[test]
fn reserved_prefixes_cannot_be_published_into() {
    let dir = site();
    let before = read(dir.path()).objects().len();
    for name in [
        ".twinsite/lock",
        ".Twinsite/lock",
        ".well-known/twinsite/stop.txt",
        ".well-known/Twinsite/stop.txt",
        ".WELL-KNOWN/twinsite/a/b.txt",
        ".well-known/ｔwinsite/stop.txt",
        "．twinsite/lock",
        ".well-known/twin\u{200b}site/stop.txt",
        ".well-known/𝐭winsite/stop.txt",
        ".well-known\\twinsite\\stop.txt",
        ".well-known%2ftwinsite%2Fstop.txt",
        ".well-known/twinsite./stop.txt",
    ] {
        write(dir.path(), name, "x");
    }
    for rules in ["", "!/.twinsite/\n!/.well-known/twinsite/\n!twinsite\n!.twinsite\n!stop.txt\n!lock\n!*\n"] {
        write(dir.path(), ".twinsiteignore", rules);
        let rules = Rules::web().ignore("!.twinsite/").unwrap().ignore("!**/twinsite/**").unwrap();
        let source = walk(dir.path(), &rules).unwrap();
        assert_eq!(source.objects().len(), before, "{:?}", keys(&source));
    }
}

#[tokio::test]
async fn a_release_record_cannot_reach_the_reserved_prefixes() {
    use std::sync::Arc;
    use twinsite_sync::{Body, ETag, SourceObject};
    let object = |key: &str| SourceObject {
        key: key.parse().unwrap(),
        body: Body::Version { etag: ETag::parse(""), digest: None, version: None },
        size: 0,
        headers: Arc::default(),
        wave: Wave::Assets,
    };
    let odd = [
        ".twinsite/lock",
        "./.twinsite/lock",
        "a/../.twinsite/lock",
        ".//.twinsite/lock",
        "/.twinsite/lock",
        ".twinsite//lock",
        ".well-known/twinsite/stop.txt",
        ".well-known//twinsite/stop.txt",
        ".well-known/./twinsite/stop.txt",
        ".Well-Known/TWINSITE/stop.txt",
        "..",
    ];
    let source = Source::of(odd.into_iter().chain(["index.html"]).map(object), &Rules::web());
    assert_eq!(keys(&source), ["index.html"]);
}

fn pages(dir: &Path, count: usize) {
    for n in 1..count {
        write(dir, &format!("p{n}/index.html"), &format!("page {n}"));
    }
    write(dir, "index.html", "home");
}

#[tokio::test]
async fn most_pages_of_a_small_site_are_not_deleted_without_asking() {
    for (before, after, refused) in
        [(62, 1, true), (62, 20, true), (62, 31, false), (62, 55, false), (10, 1, true), (4, 1, true), (3, 2, false)]
    {
        let (dir, next, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), MemoryStore::default());
        pages(dir.path(), before);
        pages(next.path(), after);
        publish(dir.path(), &store).await;
        let done = try_publish(next.path(), &store, &Options::default()).await;
        let text = done.as_ref().err().map(|stopped| stopped.failed[0].1.to_string()).unwrap_or_default();
        assert_eq!(done.is_err(), refused, "{before} → {after}: {text}");
        if let Err(stopped) = done {
            assert!(matches!(stopped.failed[0].1, SyncError::TooManyDeletes { .. }), "{text}");
            assert_eq!(contents(&store).await.len(), before);
        }
    }
}

#[tokio::test]
async fn assets_beside_the_pages_do_not_weaken_the_guard() {
    let (dir, next, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), MemoryStore::default());
    pages(dir.path(), 12);
    pages(next.path(), 1);
    for n in 0..200 {
        for dir in [dir.path(), next.path()] {
            write(dir, &format!("img/{n}.png"), "x");
        }
    }
    publish(dir.path(), &store).await;
    assert!(try_publish(next.path(), &store, &Options::default()).await.is_err());
    let none = Options { deletes: Deletes::None, ..Options::default() };
    assert!(try_publish(next.path(), &store, &none).await.is_ok());
}
