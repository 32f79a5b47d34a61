//! `doctor` by the real binary: each of these set-ups is broken in one way, and the cause is named within ten seconds.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use twinsite_local::acm::CertificateRequest;
use twinsite_local::iam::{IamUser, Policies};
use twinsite_local::route53::Change;
use twinsite_local::s3::{Condition, Doc, NewObject, PublicAccessBlock};

use crate::drill::{site, world};
use crate::history::{BACKUP, PRIMARY};
use crate::server::Server;
use crate::status::assert_valid;
use crate::{CONFIG, Project, Ran};

/// The results, by the names of the checks.
struct Checked {
    code: i32,
    line: Value,
}

impl Checked {
    fn of(ran: &Ran, started: Instant) -> Self {
        assert!(started.elapsed() < Duration::from_secs(10), "it took {:?}", started.elapsed());
        let line = ran.lines().pop().unwrap_or_else(|| panic!("no JSON: {}", ran.err()));
        assert_valid(&line);
        assert_eq!(line["event"], json!("doctor"), "{line}");
        let checked = Self { code: ran.code(), line };
        // The exit code follows from the worst result.
        let worst = |result: &str| checked.results().iter().any(|check| check["result"] == json!(result));
        let expected = match (worst("problem"), worst("unknown")) {
            (true, _) => 5,
            (false, true) => 6,
            (false, false) => 0,
        };
        assert_eq!(checked.code, expected, "{:#}", checked.line);
        for check in checked.results() {
            let is_ok = check["result"] == json!("ok");
            assert_eq!(check["next"].is_null(), is_ok, "{check}");
        }
        checked
    }

    fn results(&self) -> &[Value] {
        self.line["checks"].as_array().unwrap()
    }

    /// Fails unless a check ended so, with these words.
    fn says(&self, name: &str, result: &str, parts: &[&str]) {
        let is = |check: &&Value| check["check"] == json!(name) && check["result"] == json!(result);
        let texts: Vec<String> = self.results().iter().filter(is).map(Value::to_string).collect();
        let named = texts.iter().any(|text| parts.iter().all(|part| text.contains(part)));
        assert!(named, "no {result} of {name} with {parts:?} in {:#}", self.line);
    }

    /// The checks that did not end well.
    fn not_ok(&self) -> Vec<&str> {
        let bad = self.results().iter().filter(|check| check["result"] != json!("ok"));
        bad.map(|check| check["check"].as_str().unwrap()).collect()
    }
}

fn local(project: &Project) -> Checked {
    let started = Instant::now();
    Checked::of(&project.run(&["doctor", "--local", "--json"]), started)
}

/// On the endpoint as if it were AWS.
fn with_keys(project: &Project, url: &str, key: &str, secret: &str) -> Checked {
    let started = Instant::now();
    let mut command = project.command(&["doctor", "--json", "--endpoint-url", url]);
    command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
    Checked::of(&Ran(command.output().unwrap()), started)
}

/// A server that refuses everything as AWS does, at a time of its own.
#[expect(clippy::disallowed_methods, reason = "the time of the server is compared with that of this machine")]
fn refusing(body: &'static str, ahead: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let read = stream.read(&mut [0; 8192]).unwrap();
            if read == 0 {
                continue;
            }
            let date = httpdate::fmt_http_date(SystemTime::now() + ahead);
            let length = body.len();
            let head = format!(
                "HTTP/1.1 403 Forbidden\r\nDate: {date}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            drop(stream.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    url
}

#[test]
fn a_site_that_works_has_no_finding_in_any_mode() {
    for mode in ["dns", "origin", "layered"] {
        let project = site(mode);
        let checked = local(&project);
        assert_eq!((checked.code, checked.not_ok()), (0, vec![]), "{mode}: {:#}", checked.line);
        let text = project.local(&["doctor"]).out();
        assert!(text.trim_end().ends_with(&format!("www.example.com, mode {mode}: nothing is wrong")), "{text}");
        for line in text.lines() {
            let is_one_word = line.split_whitespace().any(|word| word.chars().count() > 50);
            assert!(line.chars().count() <= 80 || is_one_word, "more than 80 columns: {line}");
        }
    }
}

#[test]
fn before_anything_was_applied_that_is_what_is_said() {
    let project = Project::new();
    let checked = local(&project);
    checked.says("drift", "warning", &["nothing has been applied yet", "`twinsite apply --local`"]);
    assert_eq!((checked.code, checked.not_ok()), (0, vec!["drift"]), "{:#}", checked.line);
}

#[test]
fn without_credentials_that_is_named() {
    let project = Project::new();
    let started = Instant::now();
    let checked = Checked::of(&project.run(&["doctor", "--json", "--endpoint-url", "http://127.0.0.1:9"]), started);
    assert_eq!(checked.code, 5);
    checked.says("credentials", "problem", &["no credentials were found", "aws sso login"]);
    checked.says("permissions", "unknown", &["not accepted"]);
}

/// As STS answers: <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>.
#[test]
fn expired_credentials_are_named() {
    const EXPIRED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>\
                           <Message>The security token included in the request is expired</Message></Error></ErrorResponse>";
    let checked = with_keys(&Project::new(), &refusing(EXPIRED, Duration::ZERO), "AKIDTEST", "secret");
    assert_eq!(checked.code, 5);
    checked.says("credentials", "problem", &["The security token included in the request is expired", "aws sso login"]);
    checked.says("clock", "ok", &["agrees"]);
}

#[test]
fn missing_permissions_are_named() {
    let project = site("layered");
    let mut key = None;
    world(&project, |world| {
        let made = world.change_account(|account, now| {
            account.iam.create_user(IamUser {
                name: "nobody".into(),
                path: "/".into(),
                id: String::new(),
                policies: Policies::default(),
                tags: Default::default(),
                created: now.time,
                keys: Default::default(),
            })?;
            account.iam.create_access_key("nobody")
        });
        key = made.ok();
    });
    let (id, secret) = key.unwrap();
    let server = Server::start(&project, &[]);
    let checked = with_keys(&project, server.api(), &id, &secret);
    assert_eq!(checked.code, 5);
    checked.says("credentials", "ok", &["user/nobody"]);
    checked.says(
        "permissions",
        "problem",
        &["s3:", "cloudfront:ListDistributions", "route53:", "iam-policy --role reader"],
    );
}

/// As AWS answers: <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html>.
#[test]
fn a_clock_that_is_an_hour_behind_is_named_and_not_the_credentials() {
    const LATE: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>Signature expired: \
                        20261128T120000Z is now earlier than 20261128T124500Z (20261128T130000Z - 15 min.)</Message></Error></ErrorResponse>";
    let checked = with_keys(&Project::new(), &refusing(LATE, Duration::from_hours(1)), "AKIDTEST", "secret");
    assert_eq!(checked.code, 5);
    checked.says("clock", "problem", &["behind that of AWS", "timedatectl"]);
    let clock = checked.results().iter().find(|check| check["check"] == json!("clock")).unwrap().to_string();
    assert!(clock.contains("60 minutes") || clock.contains("59 minutes"), "{clock}");
    checked.says("credentials", "unknown", &["while the clock is wrong"]);
}

#[test]
fn an_account_wide_block_of_public_access_is_named_where_it_matters() {
    for (mode, result) in [("layered", "problem"), ("dns", "problem"), ("origin", "ok")] {
        let project = site(mode);
        world(&project, |world| {
            let block = PublicAccessBlock { block_public_policy: true, ..PublicAccessBlock::default() };
            world.set_account_block(Some(block)).unwrap();
        });
        let checked = local(&project);
        if result == "problem" {
            let parts = ["BlockPublicPolicy", "put-public-access-block --account-id 000000000000", "mode = "];
            checked.says("public-access-block", result, &parts);
        } else {
            assert_eq!(checked.not_ok(), [""; 0], "{:#}", checked.line);
        }
    }
}

/// The embedded name servers answer for the newer of two zones with one name, as if the registrar delegated to that one.
#[test]
fn a_zone_that_is_not_delegated_to_is_named() {
    let project = site("layered");
    world(&project, |world| {
        let zone = world.change_account(|account, now| account.route53.create_zone("example.com.", "another", now));
        zone.unwrap();
    });
    project.write("twinsite.toml", &format!("{CONFIG}[dns]\nzone_id = \"Z000000000001\"\n"));
    let checked = local(&project);
    let parts = ["`example.com` is delegated to ns-", "the hosted zone Z000000000001", "at the registrar"];
    checked.says("delegation", "problem", &parts);
}

#[test]
fn caa_records_that_forbid_amazon_are_named() {
    let project = Project::new();
    project.local(&["plan"]);
    world(&project, |world| {
        let record = json!({"Action": "UPSERT", "ResourceRecordSet": {
            "Name": "example.com.", "Type": "CAA", "TTL": 300,
            "ResourceRecords": {"ResourceRecord": [{"Value": "0 issue \"letsencrypt.org\""}]},
        }});
        let change: Change = serde_json::from_value(record).unwrap();
        let zone = world.account(|account, _| account.route53.zones().next().unwrap().id.clone());
        world.change_account(|account, now| account.route53.change_records(&zone, vec![change], now)).unwrap();
    });
    let checked = local(&project);
    checked.says("caa", "problem", &["do not allow Amazon", "letsencrypt.org", "amazon.com"]);
}

#[test]
fn a_certificate_that_is_pending_is_named_with_how_long() {
    let project = Project::new();
    project.local(&["plan"]);
    world(&project, |world| {
        let (names, region) = (vec!["www.example.com".to_owned()], "us-east-1".to_owned());
        let key_algorithm = "RSA_2048".to_owned();
        let request = CertificateRequest { names, region, key_algorithm, ..CertificateRequest::default() };
        world.change_account(|account, now| account.acm.request(request, now)).unwrap();
    });
    let checked = local(&project);
    let parts = ["waits for its validation record", "for less than an hour", "72 h", "twinsite apply"];
    checked.says("certificate", "problem", &parts);
}

#[test]
fn website_hosting_that_was_turned_off_by_hand_is_named() {
    let project = site("layered");
    world(&project, |world| {
        world.s3().update_bucket(PRIMARY, |settings| drop(settings.docs.remove(&Doc::Website))).unwrap();
    });
    let checked = local(&project);
    assert_eq!(checked.code, 5);
    checked.says("drift", "problem", &["update S3 bucket", PRIMARY, "IndexDocument", "`twinsite apply --local`"]);
    checked.says("backup", "ok", &[]);
}

#[test]
fn a_backup_that_is_behind_is_named() {
    let project = site("layered");
    world(&project, |world| {
        let other = NewObject { key: "404.html".into(), ..NewObject::default() };
        world.s3().put_object(BACKUP, other, &Condition::None).unwrap();
    });
    let checked = local(&project);
    assert_eq!(checked.code, 5);
    checked.says("backup", "problem", &["out of sync: 1 object", "`twinsite backfill --local`"]);
    checked.says("drift", "ok", &[]);
}

#[test]
fn a_primary_region_that_is_silent_is_named() {
    let project = site("layered");
    let server = Server::start(&project, &[]);
    for symptom in ["hang", "reset", "unavailable"] {
        server.faults(&json!({"regions_out": ["us-east-1"], "symptom": symptom}));
        let checked = local(&project);
        assert!([5, 6].contains(&checked.code), "{:#}", checked.line);
        checked.says(
            "primary-region",
            "unknown",
            &["S3 in us-east-1 (primary) does not respond", "`twinsite failover --local`"],
        );
        checked.says("backup-region", "ok", &["us-west-2"]);
        checked.says("delegation", "ok", &[]);
        checked.says("caa", "ok", &[]);
    }
}

/// No part is waited for longer than its deadline, and one that is waited for does not delay the others.
#[test]
fn services_that_never_respond_leave_ten_seconds_and_a_result_for_each_check() {
    let project = site("origin");
    let server = Server::start(&project, &[]);
    let services = ["acm", "cloudfront", "cloudwatch", "iam", "route53", "s3", "s3control", "sns", "sts"];
    let regions = ["us-east-1", "us-west-2"];
    server.faults(&json!({"regions_out": regions, "services_out": services, "control_out": true, "symptom": "hang"}));
    let checked = local(&project);
    assert!([5, 6].contains(&checked.code), "{:#}", checked.line);
    for name in ["credentials", "primary-region", "backup-region", "delegation", "certificate", "distribution", "drift"]
    {
        checked.says(name, "unknown", &[]);
    }
    checked.says("configuration", "ok", &[]);
}

#[test]
fn what_is_wrong_on_this_machine_is_named() {
    let project = site("layered");
    std::fs::create_dir(project.path().join(".git")).unwrap();
    std::fs::remove_file(project.path().join(".twinsite/.gitignore")).unwrap();
    project.write(".twinsite/index", "twinsite index 0\n");
    let checked = local(&project);
    assert_eq!(checked.code, 0);
    checked.says("git-ignore", "warning", &[".twinsite/", ">> .gitignore`"]);
    project.write(".gitignore", "dist");
    checked.says("index", "warning", &["damaged or of another version", "rm -rf .twinsite/index"]);
    // What is to be pasted works.
    for name in ["git-ignore", "index"] {
        let check = checked.results().iter().find(|check| check["check"] == json!(name)).unwrap();
        let command = check["next"].as_str().unwrap().split('`').nth(1).unwrap();
        let shell = std::process::Command::new("sh").args(["-c", command]).current_dir(project.path()).status();
        assert!(shell.unwrap().success());
    }
    assert_eq!(local(&project).not_ok(), [""; 0]);
    let source = |dir: &str| {
        let started = Instant::now();
        Checked::of(&project.run(&["doctor", dir, "--local", "--json"]), started)
    };
    source("public").says("source", "ok", &["files of `public` can be published"]);
    source("dist").says("source", "problem", &["dist"]);
}

#[test]
fn a_configuration_that_cannot_be_read_is_a_finding_and_not_the_end() {
    let project = Project::new();
    let run = || {
        let started = Instant::now();
        let mut command = project.command(&["doctor", "--json", "--endpoint-url", "http://127.0.0.1:9"]);
        command.env("AWS_ACCESS_KEY_ID", "AKIDTEST").env("AWS_SECRET_ACCESS_KEY", "secret");
        Checked::of(&Ran(command.output().unwrap()), started)
    };
    project.write("twinsite.toml", &CONFIG.replace("domain", "domian"));
    let checked = run();
    checked.says("configuration", "problem", &["line 2", "did you mean `domain`?"]);
    checked.says("credentials", "unknown", &["could not be read"]);
    assert!(checked.line["domain"].is_null(), "{:#}", checked.line);
    std::fs::remove_file(project.path().join("twinsite.toml")).unwrap();
    run().says("configuration", "problem", &["twinsite init"]);
    project.write("twinsite.toml", &CONFIG.replace("us-west-2", "us-wset-2"));
    run().says("configuration", "problem", &["did you mean `us-west-2`?"]);
    project.write("twinsite.toml", &CONFIG.replace("us-west-2", "eu-central-9"));
    local(&project).says("configuration", "problem", &["did you mean `eu-central-1`?", "new_regions"]);
}
