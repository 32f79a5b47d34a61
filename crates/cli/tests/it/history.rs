//! Parity, releases, rollback and the lock, as a user meets them.

use std::process::Command;

use serde_json::{Value, json};
use twinsite_local::World;
use twinsite_local::s3::{Condition, Doc, ListQuery, NewObject, Part};

use crate::Project;
use crate::drill::world;
use crate::server::Server;

pub(crate) const PRIMARY: &str = "www-example-com-000000000000-us-east-1";
pub(crate) const BACKUP: &str = "www.example.com";

/// Puts an object as if it had been there before anything else.
pub(crate) fn put(world: &World, bucket: &str, key: &str, text: &str) {
    let chunk = world.s3().store_chunk(text.to_owned().into()).unwrap();
    let etag = twinsite_sync::md5(text.as_bytes()).to_string();
    let part = Part { number: 1, etag: etag.clone(), size: text.len() as u64, chunks: vec![chunk], ..Part::default() };
    world
        .s3()
        .put_object(
            bucket,
            NewObject { key: key.into(), etag, parts: vec![part], ..NewObject::default() },
            &Condition::None,
        )
        .unwrap();
}

/// A site whose primary has objects that are older than the replication rule.
fn older_than_its_rule() -> Project {
    with_older_objects(5)
}

pub(crate) fn with_older_objects(number: usize) -> Project {
    let project = Project::new();
    project.local(&["apply"]);
    world(&project, |world| {
        let mut rule = None;
        world.s3().update_bucket(PRIMARY, |settings| rule = settings.docs.remove(&Doc::Replication)).unwrap();
        for n in 0..number {
            put(world, PRIMARY, &format!("old/{n}.txt"), &format!("old {n}"));
        }
        put(world, BACKUP, "theirs.txt", "theirs");
        put(world, BACKUP, "old/3.txt", "OLD 3");
        world
            .s3()
            .update_bucket(PRIMARY, |settings| drop(settings.docs.insert(Doc::Replication, rule.unwrap())))
            .unwrap();
    });
    project
}

#[test]
fn what_is_older_than_the_rule_is_shown_copied_and_then_level() {
    let project = older_than_its_rule();
    let shown = project.local(&["backfill", "--dry-run"]).out();
    assert!(
        shown.contains("copy     old/0.txt  absent (5 B)") && shown.contains("copy     old/3.txt  content"),
        "{shown}"
    );
    assert!(shown.contains("keep     theirs.txt") && shown.contains("5 to copy"), "{shown}");
    assert_eq!(project.run(&["verify", "--local"]).code(), 3);
    let filled = project.json(&["backfill"]);
    assert_eq!(
        (&filled["copied"], &filled["foreign"], &filled["job"]),
        (&json!(5), &json!(["theirs.txt"]), &Value::Null)
    );
    assert!(project.local(&["verify"]).out().contains("no differences"));
    let again = project.local(&["backfill"]).out();
    assert!(again.contains("nothing to do: 5 objects in sync") && again.contains("theirs.txt"), "{again}");
}

#[test]
fn when_the_rule_is_made_what_is_older_is_copied_at_once() {
    let project = older_than_its_rule();
    world(&project, |world| {
        world.s3().update_bucket(PRIMARY, |settings| drop(settings.docs.remove(&Doc::Replication))).unwrap();
    });
    let applied = project.json(&["apply"]);
    assert_eq!((&applied["steps"], &applied["backfilled"]["objects"]), (&json!(1), &json!(5)));
    assert_eq!(project.run(&["verify", "--local"]).code(), 0);
}

#[test]
fn older_versions_are_copied_on_request_and_the_backup_can_then_go_back_alone() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    project.write("public/index.html", "second");
    project.local(&["deploy"]);
    // A backup that was made anew has no past.
    world(&project, |world| {
        let past = world.s3().list_versions(
            BACKUP,
            &ListQuery { prefix: "index.html".into(), limit: 9, ..Default::default() },
            None,
        );
        for version in past.unwrap().versions.iter().filter(|entry| !entry.is_latest).map(|entry| &entry.version) {
            world.s3().delete_object(BACKUP, "index.html", Some(&version.id), &Condition::None).unwrap();
        }
    });
    assert!(project.local(&["backfill"]).out().contains("nothing to do"));
    let filled = project.json(&["backfill", "--versions"]);
    assert_eq!(filled["versions"], json!(2), "the older one, and the current one on top of it again: {filled}");
    assert_eq!(project.json(&["backfill", "--versions"])["versions"], json!(0));
    assert_eq!(project.run(&["verify", "--local"]).code(), 0);
    let server = Server::start(&project, &[]);
    server.faults(&json!({"regions_out": ["us-east-1"]}));
    let back = project.run(&["rollback", "1", "--local"]);
    assert!(back.code() == 3 && back.out().contains("release  1000"), "{}", back.out());
    server.faults(&json!({}));
}

#[test]
fn a_role_that_an_interrupted_job_has_left_goes_with_the_site() {
    let project = older_than_its_rule();
    world(&project, |world| {
        let leave = |account: &mut twinsite_local::Account, _| {
            let made = account.iam.roles().find(|role| role.name.ends_with("-replication")).cloned().unwrap();
            let name = made.name.replace("-replication", "-batch");
            let left = twinsite_local::iam::IamRole { name, policies: Default::default(), ..made };
            account.iam.create_role(left).map(drop)
        };
        world.change_account(leave).unwrap();
    });
    let gone = project.local(&["destroy", "--yes"]).out();
    assert!(gone.contains("- replication/batch-role"), "{gone}");
}

#[test]
fn a_batch_job_replicates_what_replication_left_and_its_role_goes_with_it() {
    let project = older_than_its_rule();
    let filled = project.json(&["backfill", "--engine", "batch"]);
    // What the health check asks for is older than the rule, too.
    assert_eq!((&filled["job"]["succeeded"], &filled["job"]["failed"]), (&json!(6), &json!(0)), "{filled}");
    assert_eq!(project.run(&["verify", "--local"]).code(), 0);
    world(&project, |world| {
        let roles = world.account(|account, _| format!("{:?}", account.iam));
        assert!(!roles.contains("-batch"), "{roles}");
        let page = world
            .s3()
            .list_objects(PRIMARY, &ListQuery { prefix: ".twinsite/batch/".into(), limit: 10, ..Default::default() });
        assert_eq!(page.unwrap().objects.len(), 2, "the report and its manifest");
    });
}

#[test]
fn a_deploy_fills_what_the_backup_lacked_and_says_when_it_cannot() {
    let project = older_than_its_rule();
    let deployed = project.json(&["deploy"]);
    assert_eq!((&deployed["backup"]["state"], &deployed["backup"]["backfilled"]), (&json!("in-sync"), &json!(5)));
    let server = Server::start(&project, &[]);
    server.faults(&json!({"replication_paused": true}));
    project.write("public/index.html", "replication is late");
    let late = project.json(&["deploy", "--parity-timeout", "1s"]);
    let copied = late["backup"]["copied"].as_array().unwrap();
    assert!(late["backup"]["state"] == json!("in-sync") && copied.contains(&json!("index.html")), "{late}");
    server.faults(&json!({"regions_out": ["us-west-2"]}));
    project.write("public/index.html", "the backup is gone");
    let ran = project.run(&["deploy", "--local"]);
    assert!(ran.code() == 3 && ran.out().contains("1 put") && ran.out().contains("out of sync"), "{}", ran.out());
    server.faults(&json!({}));
    project.local(&["deploy"]);
    assert_eq!(project.run(&["verify", "--local"]).code(), 0);
}

#[test]
fn what_replication_gave_up_on_is_copied_at_once() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    // The role may read and write nothing any more.
    world(&project, |world| {
        let forget = |account: &mut twinsite_local::Account, _| {
            let name = "twinsite-www-example-com-replication";
            account.iam.delete_role_policy(name, "replicate")
        };
        world.change_account(forget).unwrap();
    });
    project.write("public/index.html", "nobody replicates this");
    let started = std::time::Instant::now();
    let deployed = project.json(&["deploy"]);
    let copied = deployed["backup"]["copied"].as_array().unwrap();
    assert!(deployed["backup"]["state"] == json!("in-sync") && copied.contains(&json!("index.html")), "{deployed}");
    assert!(started.elapsed().as_secs() < 20, "what has failed is not waited for");
    assert_eq!(project.run(&["verify", "--local"]).code(), 0);
}

#[test]
fn releases_are_listed_shown_compared_and_brought_back() {
    let project = Project::new();
    project.local(&["deploy", "--apply", "--message", "first light"]);
    project.write("public/about/index.html", "about us");
    project.write("public/news.html", "news");
    project.local(&["deploy", "-m", "news"]);
    let all = project.json(&["releases"]);
    let all = all["releases"].as_array().unwrap();
    assert_eq!(
        (&all[0]["message"], &all[1]["changed"], &all[1]["objects"]),
        (&json!("first light"), &json!(2), &json!(6))
    );
    assert!(all[0]["publisher"].as_str().unwrap().starts_with("arn:aws:"), "{}", all[0]);
    let status = project.status();
    assert!(status.contains("release       2 of ") && status.contains("6 objects: news"), "{status}");
    let text = project.local(&["releases"]).out();
    assert!(text.contains("*    2") && text.contains("first light"), "{text}");
    let compared = project.json(&["releases", "1", "2"]);
    assert_eq!(
        compared["differences"],
        json!([
            {"key": "about/index.html", "kind": "content"}, {"key": "news.html", "kind": "added"},
        ])
    );
    let one = project.json(&["releases", "1"]);
    assert!(
        one["objects"][1]["version"].is_string() && one["objects"][1]["headers"]["content_type"].is_string(),
        "{one}"
    );
    let dry = project.local(&["rollback", "--dry-run"]).out();
    assert!(dry.contains("put      about/index.html  size") && dry.contains("delete   news.html"), "{dry}");
    let back = project.json(&["rollback", "--message", "too early"]);
    assert_eq!((&back["release"]["restores"], &back["release"]["id"]), (&json!(1), &json!(3)));
    assert!(back["requests"]["CopyObject"] == json!(1) && back["invalidation"]["state"] == json!("none"), "{back}");
    // Three bookkeeping objects, and no byte of the site.
    assert!(back["requests"]["PutObject"].as_u64().unwrap() <= 3, "{back}");
    project.write("public/about/index.html", "about");
    std::fs::remove_file(project.path().join("public/news.html")).unwrap();
    assert!(project.local(&["verify", "public"]).out().contains("no differences"));
    assert!(project.local(&["rollback", "1"]).out().contains("nothing to do"));
    let unknown = project.run(&["rollback", "77", "--local"]);
    assert!(unknown.code() == 2 && unknown.err().contains("twinsite releases"), "{}", unknown.err());
}

#[test]
fn without_the_primary_the_backup_is_rolled_back_alone() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    project.write("public/index.html", "a bad deploy");
    project.local(&["deploy"]);
    let server = Server::start(&project, &[]);
    server.faults(&json!({"regions_out": ["us-east-1"]}));
    let back = project.run(&["rollback", "1", "--local"]);
    let out = back.out();
    assert!(back.code() == 3 && back.err().contains("only the backup is published to"), "{}", back.err());
    assert!(out.contains("primary  unreachable, not published to") && out.contains("published alone"), "{out}");
    assert!(out.contains("release  1000"), "{out}");
    server.faults(&json!({}));
    drop(server);
    let index = |bucket: &str| {
        let mut text = Vec::new();
        world(&project, |world| {
            let index = world.s3().object(bucket, "index.html", None).unwrap();
            text = world.s3().chunks(&index, 0..index.size()).flat_map(|bytes| bytes.unwrap()).collect();
        });
        String::from_utf8(text).unwrap()
    };
    assert!(index(PRIMARY).contains("a bad deploy"), "the primary serves what it served");
    assert!(!index(BACKUP).contains("a bad deploy"), "the backup was rolled back");

    // The primary is back, and the backup stays the active side: nothing that was published meanwhile is lost.
    project.write("public/index.html", "a good deploy");
    let deployed = project.run(&["deploy", "--local"]);
    assert!(deployed.code() == 3 && deployed.out().contains("primary  not active"), "{}", deployed.out());
    let refused = project.run(&["backfill", "--local"]);
    assert!(refused.code() == 1 && refused.err().contains("twinsite failback"), "{}", refused.err());
    let releases = project.local(&["releases"]).out();
    assert!(releases.contains("* 1001") && releases.contains("only in the backup"), "{releases}");
    let json = result(&project.local(&["releases", "--json"]));
    assert_eq!((&json["active"], &json["live"]), (&json!("backup"), &json!(1001)), "{json}");
    assert!(index(PRIMARY).contains("a bad deploy") && index(BACKUP).contains("a good deploy"));
    let verified = project.run(&["verify", "public", "--local"]);
    assert!(verified.code() == 3 && verified.out().contains("twinsite failback"), "{}", verified.out());
    let lacking = format!("{PRIMARY}  index.html  ");
    assert!(
        verified.out().contains(&lacking) && !verified.out().contains(&format!("{BACKUP}  ")),
        "{}",
        verified.out()
    );

    let failed_back = project.local(&["failback"]).out();
    assert!(failed_back.contains("the primary is active again"), "{failed_back}");
    assert!(index(PRIMARY).contains("a good deploy"), "the primary has what was published meanwhile");
    assert!(project.local(&["verify", "public"]).out().contains("no differences"));
    let releases = project.local(&["releases"]).out();
    assert!(releases.contains("* 1001") && !releases.contains("only in"), "{releases}");
    project.write("public/index.html", "the next deploy");
    assert!(project.local(&["deploy"]).out().contains("release  1002"));
    assert!(index(PRIMARY).contains("the next deploy"));
    assert!(project.local(&["rollback", "1001"]).out().contains("release  1003"));
    assert!(index(PRIMARY).contains("a good deploy"));
}

/// The last line of a command's JSON.
fn result(ran: &crate::Ran) -> serde_json::Value {
    serde_json::from_str(ran.out().lines().last().unwrap()).unwrap()
}

/// A deploy in an outage: it is published to the backup, and repeating it has nothing to do.
#[test]
fn without_the_primary_a_deploy_is_published_to_the_backup_alone() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    let server = Server::start(&project, &[]);
    server.faults(&json!({"regions_out": ["us-east-1"]}));
    project.write("public/index.html", "news of the outage");
    let deployed = project.run(&["deploy", "--local"]);
    let err = deployed.err();
    assert!(deployed.code() == 3 && err.contains("only the backup is published to"), "{err}{}", deployed.out());
    assert!(err.contains("twinsite failback"), "{err}");
    let json = project.run(&["deploy", "--local", "--json"]);
    assert_eq!(json.code(), 3, "{}", json.err());
    let json = result(&json);
    assert_eq!(
        (&json["primary"]["state"], &json["backup"]["state"]),
        (&json!("unreachable"), &json!("alone")),
        "{json}"
    );
    assert_eq!(json["backup"]["alone"]["put"], 0, "{json}");
    server.faults(&json!({}));
    drop(server);
    assert!(project.local(&["failback"]).out().contains("the primary is active again"));
    assert!(project.local(&["verify", "public"]).out().contains("no differences"));
    assert!(project.local(&["deploy"]).out().contains("nothing to do"));
}

/// Any other error of the primary says nothing about whether visitors still get its release.
#[test]
fn a_primary_that_answers_with_an_error_is_not_taken_for_gone() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    project.write("public/index.html", "a bad deploy");
    project.local(&["deploy"]);
    world(&project, |world| put(world, PRIMARY, ".twinsite/releases/0000000002.gz", "junk"));
    let back = project.run(&["rollback", "1", "--local"]);
    assert!(!back.err().contains("only the backup"), "{}", back.err());
}

fn git(project: &Project, args: &[&str], day: u32) {
    let date = format!("2026-01-{day:02}T00:00:00Z");
    let mut git = Command::new("git");
    git.arg("-C").arg(project.path()).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args);
    git.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
    assert!(git.output().unwrap().status.success(), "{args:?}");
}

#[test]
fn an_older_commit_does_not_overwrite_a_newer_one() {
    let project = Project::new();
    git(&project, &["init", "-q"], 1);
    git(&project, &["add", "public"], 1);
    git(&project, &["commit", "-qm", "one"], 1);
    project.local(&["apply"]);
    project.write("public/index.html", "two");
    git(&project, &["commit", "-qam", "two"], 2);
    let deploy = || project.local(&["deploy", "--if-newer"]).out();
    assert!(deploy().contains("release  1"));
    git(&project, &["checkout", "-q", "HEAD~1"], 3);
    let skipped = deploy();
    assert!(
        skipped.contains("nothing was published: release 1 was built from commit") && skipped.contains("newer"),
        "{skipped}"
    );
    for unknown in ["v1.2.3-typo", "refs/heads/nope", "0000000000000000000000000000000000000001"] {
        let refused = project.run(&["deploy", "--local", "--if-newer", "--commit", unknown]);
        assert!(refused.code() == 2 && refused.err().contains("its age is unknown"), "{unknown}: {}", refused.err());
    }
    let nowhere = Project::new().run(&["deploy", "--local", "--if-newer", "--apply"]);
    assert!(nowhere.code() == 2 && nowhere.err().contains("--commit"), "{}", nowhere.err());
    assert!(project.local(&["deploy"]).out().contains("release  2"), "whoever means it can");
}

#[test]
fn what_cloudfront_did_not_hear_is_sent_by_the_next_deploy_although_nothing_changed() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    project.write("public/assets/app.css", "changed");
    let server = Server::start(&project, &[]);
    server.faults(&json!({"control_out": true}));
    let first = project.run(&["deploy", "--local"]);
    assert_eq!(first.code(), 3, "visitors may be served outdated objects");
    let first = first.err();
    assert!(first.contains("CloudFront may serve outdated objects") && first.contains("requests it again"), "{first}");
    server.faults(&json!({}));
    let second = project.json(&["deploy"]);
    assert_eq!(
        (&second["primary"]["put"], &second["invalidation"]["paths"], &second["release"]),
        (&json!(0), &json!(1), &Value::Null)
    );
    assert_eq!(project.json(&["deploy"])["requests"], json!({"ListObjectsV2": 2}));
}

#[test]
fn what_visitors_do_not_get_is_noticed_and_taken_back() {
    let project = Project::new();
    project.local(&["deploy", "--apply", "--probe"]);
    let mut website = None;
    world(&project, |world| {
        world.s3().update_bucket(PRIMARY, |settings| website = settings.docs.remove(&Doc::Website)).unwrap();
    });
    project.write("public/index.html", "nobody will see this");
    let refused = project.run(&["deploy", "--local", "--rollback-on-failure"]);
    let said = refused.err();
    assert!(refused.code() == 1 && said.contains("us-east-1") && said.contains("HTTP status 404"), "{said}");
    assert!(said.contains("rolled back to release 1"), "{said}");
    let config = std::fs::read_to_string(project.path().join("twinsite.toml")).unwrap();
    project.write("twinsite.toml", &format!("{config}\n[publish]\nprobe = true\n"));
    assert_eq!(project.run(&["deploy", "--local"]).code(), 1, "the configuration says so, too");
    assert_eq!(project.run(&["deploy", "--local", "--no-probe", "--force"]).code(), 0);
    world(&project, |world| {
        world
            .s3()
            .update_bucket(PRIMARY, |settings| drop(settings.docs.insert(Doc::Website, website.unwrap())))
            .unwrap();
    });
    assert_eq!(project.json(&["releases"])["releases"][2]["restores"], json!(1));
    let kept = project.run(&["deploy", "--local", "--probe"]);
    assert_eq!(kept.code(), 0, "{}", kept.err());
}
