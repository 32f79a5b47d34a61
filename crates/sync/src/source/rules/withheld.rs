//! What is not published unless a pattern with `!` names it: credentials, databases, repositories, leftovers of editors.
//!
//! The names follow the rules of secret scanners (gitleaks, truffleHog), GitHub's `.gitignore` templates, and what other hosts
//! leave out by default. A file that is missing from a site is noticed by the next visitor; a published key is noticed by
//! whoever looks for it.

use std::path::Path;
use std::sync::LazyLock;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Why, and which names, in gitignore syntax and in any case. A pattern with `!` makes an exception from those before it.
const NAMES: [(&str, &[&str]); 13] = [
    (
        "environment file",
        &[
            ".env*",
            "!.env.d.ts",
            "*.env",
            ".flaskenv",
            ".dev.vars*",
            ".direnv/",
            ".secrets*",
            ".vault_pass*",
            ".vault-token",
            "env.production",
            "env.local",
            "*.env.{json,js,yml,yaml}",
            "vault_pass*",
            "ansible-vault*",
            "secrets.{json,yaml,toml,xml}",
        ],
    ),
    (
        "SSH or GnuPG key",
        &[
            ".ssh/",
            "id_rsa*",
            "id_dsa*",
            "id_ecdsa*",
            "id_ed25519*",
            "!id_*.pub",
            "ssh_host_*_key",
            "authorized_keys",
            "known_hosts",
            "*.ppk",
            ".gnupg/",
            "secring.*",
        ],
    ),
    (
        "private key or key store",
        &[
            "*.p12",
            "*.pfx",
            "*.p8",
            "*.pk8",
            "*.jks",
            "*.jceks",
            "*.bks",
            "*.keystore",
            "*.kdb",
            "*.kdbx",
            "*.agilekeychain/",
            "*.opvault/",
            "*.keychain",
            "*.keychain-db",
            ".password-store/",
            "*.ovpn",
            "*.mobileprovision",
            "master.key",
            "wallet.dat",
            "privkey.*",
            "private.key",
            "wg[0-9]*.conf",
        ],
    ),
    (
        "credentials of a cloud",
        &[
            ".aws/",
            ".azure/",
            ".config/gcloud/",
            ".gcloud/",
            ".kube/",
            "kubeconfig",
            "*.kubeconfig",
            ".oci/",
            ".docker/",
            ".dockercfg",
            ".boto",
            ".s3cfg",
            ".tugboat",
            ".passwd-s3fs",
            "rootkey.csv",
            "*accesskeys.csv",
            "application_default_credentials.json",
            "*service-account*.json",
            "*service_account*.json",
            "*serviceaccount*.json",
            "*-firebase-adminsdk-*.json",
            "firebase-adminsdk*.json",
            "gcp-key*.json",
            "gcloud-key*.json",
            "credentials",
            "credentials.{csv,json,ini,toml,xml,tfrc.json}",
            "kubeconfig.{yaml,yml,json}",
            "rclone.conf",
            ".rclone.conf",
            ".config/rclone/",
            ".pulumi/",
            "client_secret*.json",
            "client_secret*.apps.googleusercontent.com.json",
            ".netlify/",
            ".vercel/",
            ".firebase/",
            ".wrangler/",
        ],
    ),
    (
        "credentials of a tool",
        &[
            ".npmrc",
            ".yarnrc",
            ".yarnrc.yml",
            ".pypirc",
            ".netrc",
            "_netrc",
            ".git-credentials",
            ".gitconfig",
            ".pgpass",
            ".my.cnf",
            ".mylogin.cnf",
            ".gem/",
            ".cargo/credentials*",
            ".composer/",
            ".m2/settings.xml",
            ".gradle/",
            ".ftpconfig",
            "sftp-config.json",
            ".remote-sync.json",
            "filezilla.xml",
            "recentservers.xml",
            "sitemanager.xml",
            ".mozilla/",
            ".credentials*",
            ".authinfo*",
            ".config/gh/",
            ".config/hub",
            "auth.json",
            "winscp.ini",
            ".vscode-ftp/",
            "local.properties",
            "htpasswd",
            "passwd",
            ".passwd",
            "cookies.txt",
            ".htpasswd*",
            ".htdigest*",
            ".htaccess*",
            ".bashrc",
            ".bash_profile",
            ".profile",
            ".zshrc",
            ".*_history",
        ],
    ),
    (
        "state or variables of Terraform",
        &[
            "*.tfstate",
            "*.tfstate.*",
            "*.tfstate~",
            "*.tfvars",
            "*.tfvars.json",
            "*.tfplan",
            ".terraform/",
            ".terraformrc",
            "terraform.rc",
        ],
    ),
    (
        "database or dump",
        &[
            "*.sql",
            "*.sql.{gz,bz2,xz,zst,br,zip,7z}",
            "*.dump",
            "*.dump.{gz,bz2,xz,zst,br,zip,7z}",
            "*.sqlite",
            "*.sqlite3",
            "*.sqlite-*",
            "*.db-journal",
            "*.sqlite3-*",
            "app.db",
            "*.db-wal",
            "*.mdb",
            "*.accdb",
            "*.rdb",
            "*.ldf",
            "*.har",
            "*.pcap",
            "*.pcapng",
            "*.hprof",
        ],
    ),
    (
        "configuration of a server",
        &[
            "wp-config*.php*",
            "wp-config.{bak,old,txt,save,zip}",
            "localsettings.php*",
            "config.inc.php*",
            "database.yml*",
            "secrets.yml*",
            "credentials.yml*",
            "local_settings.py",
        ],
    ),
    (
        "version control",
        &[
            ".git",
            ".gitmodules",
            ".gitignore",
            ".gitattributes",
            ".hg",
            ".hgignore",
            ".svn",
            ".bzr",
            "_darcs",
            ".jj",
            "CVS/",
        ],
    ),
    (
        "file of an editor or backup copy",
        &[
            "*~",
            "*.swp",
            "*.swo",
            ".*.sw?",
            ".*.un~",
            "*.bak",
            "*.bak?",
            "*.backup",
            "*.old",
            "*.orig",
            "*.rej",
            "*.save",
            "#*#",
            ".#*",
            ".idea/",
            ".vscode/",
            ".vs/",
            ".settings/",
            "*.sublime-workspace",
            ".history/",
        ],
    ),
    (
        "file of an operating system",
        &[
            ".DS_Store",
            "._*",
            "__MACOSX/",
            ".AppleDouble/",
            ".Spotlight-V100/",
            ".Trashes/",
            ".Trash-*/",
            ".fseventsd/",
            "Thumbs.db",
            "ehthumbs*.db",
            "desktop.ini",
            "$RECYCLE.BIN/",
            ".directory",
            ".nfs*",
            ".fuse_hidden*",
            "npm-debug.log*",
            "yarn-debug.log*",
            "yarn-error.log*",
        ],
    ),
    ("configuration of twinsite", &["/twinsite.toml"]),
    // Editors and file systems may change the name, and then its rules are not in force.
    (
        "ignore file that is not read: its name must be `.twinsiteignore`",
        &[".twinsiteignore*", "twinsiteignore", "twinsiteignore.txt", ".twinsite-ignore", ".twinsite_ignore"],
    ),
];

/// Extensions of files whose beginning is looked at for a private key.
const MAY_BE_KEYS: [&str; 13] =
    ["", "key", "pem", "crt", "cer", "cert", "asc", "gpg", "pgp", "priv", "conf", "cfg", "txt"];

/// A matcher of each reason, which is not built for every walk.
static MATCHERS: LazyLock<Vec<(&'static str, Gitignore)>> =
    LazyLock::new(|| NAMES.iter().filter_map(|(reason, patterns)| Some((*reason, matcher(patterns)?))).collect());

/// All of them in one, because nearly every file matches none.
static ANY: LazyLock<Option<Gitignore>> =
    LazyLock::new(|| matcher(&NAMES.iter().flat_map(|(_, patterns)| *patterns).copied().collect::<Vec<_>>()));

fn matcher(patterns: &[&str]) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    builder.case_insensitive(true).ok()?;
    for pattern in patterns {
        builder.add_line(None, &pattern.replace('#', "\\#")).ok()?;
    }
    builder.build().ok()
}

/// Why an entry is withheld, by its name; its parents are known not to be.
pub(super) fn reason(relative: &Path, folder: bool) -> Option<&'static str> {
    if ANY.as_ref().is_some_and(|any| !any.matched(relative, folder).is_ignore()) {
        return None;
    }
    let withholds = |(_, matcher): &&(&str, Gitignore)| match matcher.matched(relative, folder) {
        Match::Ignore(glob) => !folder || is_of_folders(glob.original()),
        Match::None | Match::Whitelist(_) => false,
    };
    MATCHERS.iter().find(withholds).map(|(reason, _)| *reason)
}

/// Whether a pattern is meant for folders, too. The documentation of Java has a folder `java.sql`, which is no dump of a database.
fn is_of_folders(pattern: &str) -> bool {
    pattern.ends_with('/') || pattern.starts_with('.') || pattern == "_darcs"
}

/// Why a path, or a folder above it, is withheld.
pub(super) fn reason_for_path(path: &Path) -> Option<&'static str> {
    let mut folders = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    folders.find_map(|folder| reason(folder, true)).or_else(|| reason(path, false))
}

/// Whether a file of this extension, in lower case, may hold a private key.
pub(super) fn may_be_key(extension: &str) -> bool {
    MAY_BE_KEYS.contains(&extension)
}

/// Why a file is withheld, by its content.
pub(super) fn reason_of_content(extension: &str, head: &[u8]) -> Option<&'static str> {
    let has = |text: &[u8]| head.windows(text.len()).any(|window| window == text);
    // UTF-16 has a zero byte beside each character.
    if head.len() > 2 && (head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff])) {
        let plain: Vec<u8> = head.iter().copied().filter(|byte| *byte != 0).collect();
        return reason_of_content(extension, &plain[2..]);
    }
    // A text may quote a key; one that begins with it is one.
    if extension == "txt" && !head.trim_ascii_start().starts_with(b"-----BEGIN ") && !has(b"AGE-SECRET-KEY-1") {
        return None;
    }
    let armored = has(b"-----BEGIN ")
        && (has(b" PRIVATE KEY-----") || has(b"-----BEGIN PRIVATE KEY") || has(b"PRIVATE KEY BLOCK-----"));
    // PKCS #8 and PKCS #1 in DER are a SEQUENCE; a Keynote document of the same extension is a zip file.
    let binary = ["key", "priv"].contains(&extension) && head.first() == Some(&0x30);
    let tools = has(b"AGE-SECRET-KEY-1") || has(b"PuTTY-User-Key-File-");
    (armored || binary || tools).then_some("private key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        assert_eq!(MATCHERS.len(), NAMES.len());
        assert!(ANY.is_some());
    }

    #[test]
    fn reasons_are_given() {
        for (path, why) in [
            (".env.local", "environment file"),
            ("a/.ssh/config", "SSH or GnuPG key"),
            ("a/#draft#", "file of an editor or backup copy"),
            ("prod.tfstate.backup", "state or variables of Terraform"),
            (".git/config", "version control"),
            (".twinsiteignore.txt", "ignore file that is not read: its name must be `.twinsiteignore`"),
            ("a/.git", "version control"),
            ("env.production", "environment file"),
            ("prod.env.json", "environment file"),
            ("conf/secrets.yaml", "environment file"),
            ("gcp-key.json", "credentials of a cloud"),
            ("firebase-adminsdk-abc.json", "credentials of a cloud"),
            ("credentials.csv", "credentials of a cloud"),
            ("x/rclone.conf", "credentials of a cloud"),
            (".config/gh/hosts.yml", "credentials of a tool"),
            ("auth.json", "credentials of a tool"),
            ("wg0.conf", "private key or key store"),
            ("app.db", "database or dump"),
        ] {
            assert_eq!(reason_for_path(Path::new(path)), Some(why), "{path}");
        }
        for path in [
            "api/java.sql/Array.html",
            "v1.old/index.html",
            "CVS",
            "index.html",
            "id_rsa.pub",
            ".well-known/x",
            "a/twinsite.toml",
            "dump.sql.html",
            "environment.js",
            "about/credentials/index.html",
            "secrets.html",
        ] {
            assert_eq!(reason_for_path(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn private_keys_are_found_by_content() {
        for yes in [
            "-----BEGIN PRIVATE KEY-----",
            "x\n-----BEGIN RSA PRIVATE KEY-----",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        ] {
            assert!(reason_of_content("pem", yes.as_bytes()).is_some(), "{yes}");
        }
        let utf_16: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("-----BEGIN PRIVATE KEY-----".bytes().flat_map(|one| [one, 0])).collect();
        assert!(reason_of_content("pem", &utf_16).is_some());
        assert!(reason_of_content("txt", b"-----BEGIN OPENSSH PRIVATE KEY-----").is_some());
        assert!(
            reason_of_content("txt", b"A key begins with -----BEGIN PRIVATE KEY-----").is_none(),
            "it only quotes one"
        );
        for no in ["-----BEGIN CERTIFICATE-----", "PK\x03\x04", ""] {
            assert!(reason_of_content("key", no.as_bytes()).is_none(), "{no}");
        }
    }
}
