//! Every mistake gets one clear error before anything is changed.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::{CONFIG, Project};

/// The mistake is named, the exit code is as documented, and the embedded cloud was not even created.
fn refused(project: &Project, args: &[&str], code: i32, parts: &[&str]) {
    let ran = project.run(args);
    assert_eq!(ran.code(), code, "{args:?}: {}", ran.err());
    for part in parts {
        assert!(ran.err().contains(part), "{args:?} does not say `{part}`: {}", ran.err());
    }
    assert!(!ran.err().contains("panicked") && !ran.err().contains("Error {"), "{}", ran.err());
    assert!(!project.path().join(".twinsite/local").exists(), "{args:?} changed something");
}

#[test]
fn faults_of_the_configuration_are_shown_where_they_are() {
    let project = Project::new();
    let cases = [
        ("domian = \"x\"\n", "line 3", "unknown field `domian`"),
        ("mode = \"both\"\n", "line 3", "`dns`, `origin`, `layered`"),
    ];
    for (line, place, what) in cases {
        project.write("twinsite.toml", &CONFIG.replace("\n\n[primary]", &format!("\n{line}\n[primary]")));
        refused(&project, &["deploy", "--local"], 2, &[place, what]);
    }
    project.write("twinsite.toml", &CONFIG.replace("us-west-2", "us-east-1"));
    refused(&project, &["plan", "--local"], 2, &["line 8", "both the primary and the backup"]);
    project.write("twinsite.toml", &CONFIG.replace("www.example.com", "WWW.example.com"));
    refused(&project, &["apply", "--local"], 2, &["line 2", "capitals"]);
    project.write("twinsite.toml", &CONFIG.replace("us-west-2", "us-west"));
    refused(&project, &["deploy", "--local"], 2, &["region"]);
}

#[test]
fn faults_of_the_source_are_named() {
    let project = Project::new();
    refused(&project, &["deploy", "--local", "nowhere"], 2, &["`nowhere` does not exist", "hint:"]);
    refused(&project, &["deploy", "--local", "twinsite.toml"], 2, &["is not a directory"]);
    std::fs::create_dir(project.path().join("empty")).unwrap();
    refused(&project, &["deploy", "--local", "empty"], 2, &["has no files to publish", "did the build fail"]);
    std::os::unix::fs::symlink("/etc", project.path().join("public/etc")).unwrap();
    refused(&project, &["deploy", "--local"], 2, &["is a link out of the source", ".twinsiteignore"]);
}

#[test]
fn without_configuration_or_credentials_it_says_what_to_do_and_never_falls_back() {
    let project = Project::new();
    refused(&project, &["plan"], 1, &["hint: sign in", "--local"]);
    refused(&project, &["plan", "--profile", "nobody"], 1, &["nobody"]);
    std::fs::remove_file(project.path().join("twinsite.toml")).unwrap();
    refused(&project, &["deploy"], 2, &["twinsite.toml", "twinsite init"]);
    refused(&project, &["frobnicate"], 2, &["unrecognized subcommand"]);
    refused(&project, &["deploy", "--serve"], 2, &["--local"]);
    refused(&project, &["deploy", "--local", "--max-delete", "lots"], 2, &["neither a number nor a percentage"]);
}

#[test]
fn what_cannot_be_a_page_is_named_and_never_opened() {
    let link = std::os::unix::fs::symlink::<&str, std::path::PathBuf>;
    let spoil: [(&str, &dyn Fn(std::path::PathBuf)); 7] = [
        ("is a link that leads nowhere", &|at| link("gone", at).unwrap()),
        ("is a link that leads nowhere", &|at| link("odd", at).unwrap()),
        ("is a link to a folder that it is in", &|at| link(".", at).unwrap()),
        ("is a pipe, socket or device", &|at| assert!(Command::new("mkfifo").arg(at).status().unwrap().success())),
        ("is a pipe, socket or device", &|at| drop(std::os::unix::net::UnixListener::bind(at).unwrap())),
        ("a name that is not UTF-8", &|at| {
            std::fs::write(at.with_file_name(OsStr::from_bytes(b"odd\xff")), "x").unwrap();
        }),
        ("S3 takes at most 1024", &|at| {
            let deep = at.parent().unwrap().join(["d".repeat(250).as_str(); 5].join("/"));
            std::fs::create_dir_all(&deep).unwrap();
            std::fs::write(deep.join("x"), "x").unwrap();
        }),
    ];
    for (said, make) in spoil {
        let project = Project::new();
        make(project.path().join("public/odd"));
        refused(&project, &["deploy", "--local"], 2, &[said, "hint:"]);
    }
}

/// Root may read everything, so somebody else has to try.
#[test]
fn a_file_that_may_not_be_read_is_named() {
    let project = Project::new();
    let mine = std::fs::metadata(project.path()).unwrap().uid();
    let closed = project.path().join("public/secret.html");
    project.write("public/secret.html", "x");
    std::fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    std::fs::set_permissions(project.path(), Permissions::from_mode(0o777)).unwrap();
    let binary = project.path().join("twinsite");
    std::fs::copy(env!("CARGO_BIN_EXE_twinsite"), &binary).unwrap();
    let mut command = Command::new(binary);
    command.args(["deploy", "--local"]).current_dir(project.path()).env_clear();
    if mine == 0 {
        command.uid(65534).gid(65534);
    }
    let ran = crate::Ran(command.output().unwrap());
    assert_eq!(ran.code(), 2, "{}", ran.err());
    assert!(ran.err().contains("secret.html") && ran.err().contains("hint:"), "{}", ran.err());
    assert!(!project.path().join(".twinsite").exists());
}

/// A disk that is full refuses to let files grow, as this limit does. The embedded cloud runs in a process without it.
#[test]
fn an_index_that_finds_the_disk_full_is_a_warning_and_the_deploy_stands() {
    let project = Project::new();
    for n in 0..100 {
        project.write(&format!("public/pages/{n}.html"), "page");
    }
    let mut server = project.command(&["local", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let limited = format!("trap '' XFSZ; ulimit -f 1; exec {} deploy --apply --local", env!("CARGO_BIN_EXE_twinsite"));
    let deploy = Command::new("sh").args(["-c", &limited]).current_dir(project.path()).output().unwrap();
    let ran = crate::Ran(deploy);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    assert!(ran.err().contains("warning: the index of file digests could not be saved"), "{}", ran.err());
    assert_eq!(project.json(&["deploy"])["primary"]["unchanged"], serde_json::json!(105));
    server.kill().unwrap();
    server.wait().unwrap();
}

const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>\
    </GetCallerIdentityResult></GetCallerIdentityResponse>";

fn server(status: &'static str, body: &'static str) -> String {
    answering(false, status, body)
}

/// Answers every request with the same error, but for the question who we are when it knows us.
pub(crate) fn answering(knows_us: bool, status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut buffer = [0; 8192];
            let read = stream.read(&mut buffer).unwrap();
            let who = buffer[..read].windows(17).any(|window| window == b"GetCallerIdentity");
            let (status, body) = if who && knows_us { ("200 OK", IDENTITY) } else { (status, body) };
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    url
}

fn refused_by(url: &str, parts: &[&str]) {
    let project = Project::new();
    let mut command = project.command(&["deploy", "--endpoint-url", url]);
    command.env("AWS_ACCESS_KEY_ID", "AKIDTEST").env("AWS_SECRET_ACCESS_KEY", "secret-that-must-not-show");
    let ran = crate::Ran(command.env("AWS_REGION", "us-east-1").output().unwrap());
    assert_eq!(ran.code(), 1, "{}", ran.err());
    for part in parts {
        assert!(ran.err().contains(part), "`{part}` is not in: {}", ran.err());
    }
    assert!(!ran.err().contains("secret-that-must-not-show"));
}

#[test]
fn what_aws_refuses_is_said_with_a_way_out() {
    let error = |code: &str| {
        let body = format!("<ErrorResponse><Error><Code>{code}</Code><Message>No.</Message></Error></ErrorResponse>");
        &*Box::leak(body.into_boxed_str())
    };
    refused_by(&server("403 Forbidden", error("InvalidClientTokenId")), &["InvalidClientTokenId", "sign in again"]);
    refused_by(&server("403 Forbidden", error("ExpiredToken")), &["ExpiredToken", "sign in again"]);
    refused_by(&server("403 Forbidden", error("RequestExpired")), &["RequestExpired", "clock"]);
    let skewed = "<Error><Code>RequestTimeTooSkewed</Code><Message>No.</Message></Error>";
    refused_by(&answering(true, "403 Forbidden", skewed), &["RequestTimeTooSkewed", "clock"]);
    refused_by("http://127.0.0.1:1", &["could not", "check the network"]);
}

#[test]
fn somebody_elses_bucket_is_named_and_nothing_is_created() {
    let project = Project::new();
    // Another site of the same account holds the name of this site's backup.
    project.local(&["deploy", "--apply"]);
    let other = CONFIG.replace("us-west-2", "eu-west-1").replace("us-east-1", "ap-south-1");
    project.write("twinsite.toml", &other);
    let ran = project.run(&["apply", "--local"]);
    assert_eq!(ran.code(), 1);
    assert!(ran.err().contains("`www.example.com` is in us-west-2") && ran.err().contains("hint:"), "{}", ran.err());
}

#[test]
fn a_bucket_that_was_not_created_here_is_not_published_to() {
    let project = Project::new();
    let world = twinsite_local::World::open(&project.path().join(".twinsite/local")).unwrap();
    let account = twinsite_local::ACCOUNT;
    world.s3().create_bucket("www-example-com-000000000000-us-east-1", "us-east-1", account).unwrap();
    world.s3().create_bucket("www.example.com", "us-west-2", account).unwrap();
    world.flush().unwrap();
    drop(world);
    let ran = project.run(&["deploy", "--local"]);
    assert_eq!(ran.code(), 1);
    assert!(ran.err().contains("twinsite did not create it") && ran.err().contains("--adopt"), "{}", ran.err());
    let world = twinsite_local::World::open(&project.path().join(".twinsite/local")).unwrap();
    assert!(matches!(world.s3().current("www.example.com", "index.html"), Ok(twinsite_local::s3::Current::Missing)));
}

#[test]
fn an_index_that_cannot_be_kept_is_a_warning() {
    let project = Project::new();
    let config = project.path().join("ro");
    std::fs::create_dir(&config).unwrap();
    project.write("ro/twinsite.toml", CONFIG);
    project.write("ro/.twinsite", "a file where the index's folder should be");
    let ran = project.local(&["deploy", "--apply", "--config", "ro/twinsite.toml"]);
    assert!(ran.err().contains("warning: the index of file digests could not be saved"), "{}", ran.err());
}
