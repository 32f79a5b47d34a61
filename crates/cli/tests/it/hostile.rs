//! Control characters in names, messages and responses reach no terminal.

use serde_json::{Value, json};
use twinsite_local::World;

use crate::bad_input::answering;
use crate::drill::world;
use crate::history::{PRIMARY, put};
use crate::server::{Process, Server, signal};
use crate::terminal::on_a_terminal;
use crate::{CONFIG, Project, Ran};

/// Clears the screen, sets the window's title (OSC, ended by BEL), colors text by a C1 control character, returns to the start of
/// the line, deletes, and reverses the text that follows.
const HOSTILE: &str = "x\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\u{8}\u{7f}\u{202e}y";
/// How it is printed.
const ESCAPED: &str = r"x\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\u{8}\u{7f}\u{202e}y";

fn is_harmless(args: &[&str], text: &str) {
    let harmful = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
    assert!(!text.contains(harmful), "{args:?}: {text:?}");
}

/// Everything that a command prints is harmless, and contains the hostile text, escaped.
fn prints(project: &Project, args: &[&str]) -> Ran {
    let ran = project.run(args);
    let text = ran.out() + &ran.err();
    is_harmless(args, &text);
    assert!(text.contains(ESCAPED), "{args:?}: {text}");
    ran
}

#[test]
fn names_messages_and_commits_are_escaped() {
    let project = Project::new();
    let (page, two_lines) = (format!("public/{HOSTILE}.txt"), format!("{HOSTILE}\nsecond line"));
    project.write(&page, "one");
    project.local(&["apply"]);
    let deploy = ["deploy", "--local", "--message", &two_lines, "--commit", HOSTILE];
    prints(&project, &[&deploy[..], &["--dry-run"]].concat());
    prints(&project, &[&deploy[..], &["--verbose"]].concat());
    prints(&project, &["status", "--local"]);
    let releases = prints(&project, &["releases", "--local"]).out();
    assert_eq!(releases.lines().count(), 2, "a message begins no line: {releases}");
    let release = prints(&project, &["releases", "1", "--local"]).out();
    assert!(release.contains(&format!("message      {ESCAPED}\\nsecond line")), "{release}");
    assert!(release.contains(&format!("commit       {ESCAPED}")), "{release}");
    project.write(&page, "two");
    assert_eq!(prints(&project, &["verify", "public", "--local"]).code(), 3);
    project.local(&["deploy"]);
    prints(&project, &["releases", "1", "2", "--local"]);
    prints(&project, &["rollback", "--dry-run", "--local"]);
    // The value that a program reads is the name itself.
    let ran = project.local(&["releases", "1", "--json"]);
    is_harmless(&["releases"], &ran.out());
    let release = ran.lines().pop().unwrap();
    let keys: Vec<&Value> = release["objects"].as_array().unwrap().iter().map(|object| &object["key"]).collect();
    assert!(keys.contains(&&json!(format!("{HOSTILE}.txt"))), "{keys:?}");
    let release = &release["release"];
    assert_eq!((&release["message"], &release["commit"]), (&json!(two_lines), &json!(HOSTILE)));
}

#[test]
fn keys_of_other_people_are_escaped() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    world(&project, |world| put(world, crate::history::BACKUP, HOSTILE, "theirs"));
    prints(&project, &["verify", "--local"]);
    prints(&project, &["backfill", "--dry-run", "--local"]);
    prints(&project, &["backfill", "--local"]);
    project.local(&["failover"]);
    prints(&project, &["failback", "--local"]);
}

fn text_of(world: &World, key: &str) -> String {
    let object = world.s3().object(PRIMARY, key, None).unwrap();
    let chunks = world.s3().chunks(&object, 0..u64::MAX);
    chunks.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap()).collect()
}

#[test]
fn the_owner_of_a_lock_is_escaped() {
    const LOCK: &str = ".twinsite/lock";
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    project.write("public/new.html", "new");
    let server = Server::start(&project, &[]);
    server.pause("PutObject", 2);
    let mut deploy = Process::start(&project, &["deploy", "--local"]);
    server.until_held(&mut deploy);
    signal(&deploy.child, "-KILL");
    deploy.end();
    server.release();
    drop(server);
    world(&project, |world| {
        let mut lock: Value = serde_json::from_str(&text_of(world, LOCK)).unwrap();
        for part in lock["owner"].as_object_mut().unwrap().values_mut().filter(|part| part.is_string()) {
            *part = json!(HOSTILE);
        }
        put(world, PRIMARY, LOCK, &lock.to_string());
    });
    let refused = prints(&project, &["deploy", "--local", "--lock-timeout", "1s"]);
    assert!(refused.code() == 1 && refused.err().contains("has the lock"), "{}", refused.err());
}

#[test]
fn responses_and_input_are_escaped() {
    // XML allows of these only those from U+0080 and the carriage return, as references; a broken response is quoted as it is.
    let body = "<Error><Code>Odd</Code><Message>x&#x9b;31m&#13;&#x202e;y</Message></Error>";
    for (body, escaped) in [(body, r"x\u{9b}31m\r\u{202e}y"), ("\u{1b}]0;owned\u{7}", "")] {
        let project = Project::new();
        let mut command = project.command(&["deploy", "--endpoint-url", &answering(true, "400 Bad Request", body)]);
        command.env("AWS_ACCESS_KEY_ID", "AKIDTEST").env("AWS_SECRET_ACCESS_KEY", "secret");
        let ran = Ran(command.output().unwrap());
        is_harmless(&[body], &ran.err());
        assert!(ran.code() == 1 && ran.err().contains(escaped), "{}", ran.err());
    }
    let project = Project::new();
    project.write("twinsite.toml", &CONFIG.replace("domain", "# \u{9b}31m\u{202e}\ndomian"));
    for args in [&["plan", "--local"][..], &["plan", "--profile", HOSTILE], &["plan", HOSTILE], &[HOSTILE]] {
        let ran = project.run(args);
        is_harmless(args, &ran.err());
        assert_eq!(ran.code(), 2, "{args:?}: {}", ran.err());
    }
    prints(&project, &["plan", "--config", HOSTILE]);
    for args in [&[HOSTILE][..], &["plan", HOSTILE], &["deploy", "--delete", HOSTILE]] {
        let ran = on_a_terminal(&project, args);
        assert!(!ran.contains("\u{1b}]0;") && !ran.contains(['\u{7}', '\u{9b}', '\u{202e}']), "{args:?}: {ran:?}");
        assert!(ran.contains("error: ") && ran.contains(r"\u{9b}31m"), "{args:?}: {ran:?}");
    }
    let colored = on_a_terminal(&project, &["plan", "--lokal"]);
    assert!(colored.contains("\u{1b}[1m"), "{colored:?}");
}
