//! What people see on a terminal of 80 columns. `script` gives a program one; every Debian has it.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use crate::server::Server;
use crate::{CONFIG, Project};

/// Starts a command on a terminal of 80 columns, whose output is the process's stdout.
fn started(project: &Project, args: &[&str]) -> Child {
    let quoted = args.iter().map(|arg| format!("'{arg}'")).collect::<Vec<_>>().join(" ");
    let line = format!("stty cols 80 rows 24 -echo; exec {} {quoted}", env!("CARGO_BIN_EXE_twinsite"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).current_dir(project.path());
    script.env("TERM", "xterm").env("LANG", "C.UTF-8").env("HOME", project.path()).env_remove("COLUMNS");
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// What a command writes to a terminal.
pub(crate) fn on_a_terminal(project: &Project, args: &[&str]) -> String {
    let mut script = started(project, args);
    let mut shown = Vec::new();
    script.stdout.take().unwrap().read_to_end(&mut shown).unwrap();
    script.wait().unwrap();
    String::from_utf8_lossy(&shown).into_owned()
}

/// A terminal of 80 columns, as far as commands use it.
#[derive(Default)]
struct Terminal {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// How often a line was continued on the next row, because it was too long.
    wrapped: usize,
}

impl Terminal {
    /// What a terminal displays in the end, rows that have scrolled away included.
    fn show(text: &str) -> Self {
        let mut terminal = Self::default();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match c {
                '\u{1b}' => {
                    let sequence: String = rest.by_ref().skip(1).take_while_inclusive_letter();
                    terminal.control(&sequence);
                }
                '\r' => terminal.column = 0,
                '\n' => (terminal.row, terminal.column) = (terminal.row + 1, 0),
                c => terminal.put(c),
            }
        }
        terminal
    }

    fn put(&mut self, c: char) {
        if self.column == 80 {
            (self.row, self.column) = (self.row + 1, 0);
            // Lines that are shorter are filled with spaces.
            self.wrapped += usize::from(self.rows[self.row - 1][79] != ' ');
        }
        if self.rows.len() <= self.row {
            self.rows.resize(self.row + 1, Vec::new());
        }
        let row = &mut self.rows[self.row];
        if row.len() <= self.column {
            row.resize(self.column + 1, ' ');
        }
        row[self.column] = c;
        self.column += 1;
    }

    fn control(&mut self, sequence: &str) {
        let number = sequence.trim_end_matches(char::is_alphabetic).parse().ok();
        match sequence.chars().last() {
            Some('A') => self.row = self.row.saturating_sub(number.unwrap_or(1)),
            Some('B') => self.row += number.unwrap_or(1),
            Some('K') => {
                if let Some(row) = self.rows.get_mut(self.row) {
                    row.truncate(if number == Some(2) { 0 } else { self.column });
                }
            }
            Some('J') => {
                self.rows.truncate(self.row + 1);
                self.control("K");
            }
            // Colors, and whether the cursor is visible.
            Some('m' | 'h' | 'l') => {}
            _ => panic!("unknown control sequence `{sequence}`"),
        }
    }

    fn text(&self) -> String {
        let rows = self.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned());
        rows.collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }
}

trait TakeSequence {
    fn take_while_inclusive_letter(self) -> String;
}

impl<I: Iterator<Item = char>> TakeSequence for I {
    /// The characters up to a letter, which ends a control sequence.
    fn take_while_inclusive_letter(mut self) -> String {
        let mut sequence = String::new();
        for c in self.by_ref() {
            sequence.push(c);
            if c.is_ascii_alphabetic() {
                break;
            }
        }
        sequence
    }
}

#[test]
fn bars_show_files_bytes_rate_and_time_left_and_never_wrap() {
    let project = Project::new();
    for n in 0..400 {
        project.write(&format!("public/pages/{n}.html"), &"page ".repeat(2000));
    }
    let shown = on_a_terminal(&project, &["deploy", "--apply", "--local"]);
    for part in ["primary transfer", "/405 files", "MiB", "/s", "left"] {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
    let terminal = Terminal::show(&shown.replace("requests ", "\nrequests "));
    let text = terminal.text();
    let requests = text.lines().filter(|line| line.contains("ListObjectsV2")).count();
    assert!(requests > 0 && text.lines().all(|line| !line.contains("/405 files")), "the bars are gone: {text}");
    // Only the list of requests, which is long, is continued on the next row.
    let result = shown.rsplit("requests ").next().unwrap();
    let printed = Terminal::show(&format!("requests {result}"));
    assert_eq!(terminal.wrapped, printed.wrapped, "{shown:?}");
    assert!(text.lines().last().unwrap().starts_with("site     https://www.example.com/"), "{text}");
    let plain = project.local(&["deploy", "--force"]);
    let plain = plain.out() + &plain.err();
    assert!(!plain.contains('\u{1b}') && !plain.contains('\r'), "no terminal, no bars: {plain}");
}

#[test]
fn a_wait_is_one_line_that_is_redrawn_and_then_gone() {
    let project = Project::new();
    let shown = on_a_terminal(&project, &["apply", "--local"]);
    assert!(shown.matches("waiting for ").count() > 3, "{shown:?}");
    let terminal = Terminal::show(&shown);
    let text = terminal.text();
    assert!(!text.contains("waiting for ") && text.contains("\napplied: "), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("+ cdn/distribution (")).count(), 1, "{text}");
}

/// Waits for a question on the terminal, and presses Ctrl-C.
fn interrupted(project: &Project, args: &[&str], question: &str) -> (Option<i32>, String) {
    let mut script = started(project, args);
    let (mut shown, mut stdout) = (String::new(), script.stdout.take().unwrap());
    let mut byte = [0];
    while !shown.contains(question) {
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "no `{question}` in {shown}");
        shown.push(char::from(byte[0]));
    }
    let mut stdin = script.stdin.take().unwrap();
    stdin.write_all(&[3]).unwrap();
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    shown.push_str(&String::from_utf8_lossy(&rest));
    (script.wait().unwrap().code(), shown)
}

#[test]
fn ctrl_c_at_a_question_ends_the_command() {
    let project = Project::new();
    project.local(&["apply"]);
    std::fs::remove_file(project.path().join("twinsite.toml")).unwrap();
    for (args, question) in
        [(&["destroy", "--local"][..], "Type www.example.com to continue: "), (&["init"], "Domain name of the site")]
    {
        let (code, shown) = interrupted(&project, args, question);
        assert_eq!(code, Some(130), "{args:?}: {shown}");
        assert!(shown.contains("nothing was changed"), "{args:?}: {shown}");
    }
    assert!(!project.path().join("twinsite.toml").exists());
    assert!(project.local(&["apply"]).out().contains("nothing to do"));
}

/// Waits for each question on the terminal, and answers it. The exit code, and all that was shown.
fn answered(project: &Project, args: &[&str], answers: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut script = started(project, args);
    let (mut shown, mut seen, mut stdout) = (String::new(), 0, script.stdout.take().unwrap());
    let mut stdin = script.stdin.take().unwrap();
    let mut byte = [0];
    for (question, answer) in answers {
        while !shown[seen..].contains(question) {
            assert_eq!(stdout.read(&mut byte).unwrap(), 1, "no `{question}` in {shown}");
            shown.push(char::from(byte[0]));
        }
        seen = shown.len();
        stdin.write_all(answer.as_bytes()).unwrap();
    }
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    shown.push_str(&String::from_utf8_lossy(&rest));
    (script.wait().unwrap().code(), shown)
}

#[test]
fn init_asks_checks_the_answers_and_ends_with_the_next_command() {
    const DOWN: &str = "\u{1b}[B";
    let project = Project::new();
    std::fs::remove_file(project.path().join("twinsite.toml")).unwrap();
    std::fs::create_dir(project.path().join(".git")).unwrap();
    project.write("hugo.toml", "baseURL = 'https://docs.example.org/'\npublishDir = 'www'\n");
    let (code, shown) = answered(
        &project,
        &["init"],
        &[
            ("Domain name of the site", "https://docs.example.org\r"),
            ("is an address", ""),
            ("Domain name of the site", "docs.example.org\r"),
            ("dns: survives", &format!("{DOWN}\r")),
            ("Primary region [us-east-1]", "eu-cental-1\r"),
            ("did you mean `eu-central-1`?", ""),
            ("Primary region", "eu-central-1\r"),
            ("Backup region [us-west-2]", "eu-central-1\r"),
            ("would take both", ""),
            ("Backup region", "\r"),
            ("Hugo builds the site [www]", "\r"),
            ("Error document for missing pages [404.html]", "\r"),
        ],
    );
    assert_eq!(code, Some(0), "{shown}");
    let written = std::fs::read_to_string(project.path().join("twinsite.toml")).unwrap();
    for line in
        ["domain = \"docs.example.org\"", "mode = \"origin\"", "region = \"eu-central-1\"", "region = \"us-west-2\""]
    {
        assert!(written.contains(line), "{line}: {written}");
    }
    let text = Terminal::show(&shown).text();
    for mode in ["layered: survives", "origin: survives", "dns: survives"] {
        let line = shown.lines().find(|line| line.contains(mode)).unwrap();
        assert!(line.contains(" a month") && line.chars().count() < 80 + 10, "it fits a terminal: {line}");
    }
    for part in ["origin: survives", "found Hugo, which builds into www", "added .twinsite/ to"] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
    assert!(text.lines().last().unwrap().contains("`twinsite deploy www`"), "{text}");
    assert_eq!(std::fs::read_to_string(project.path().join(".gitignore")).unwrap(), ".twinsite/\n");
    // Kept unless it may be replaced.
    let (code, shown) = answered(&project, &["init"], &[("Replace it?", "n")]);
    assert!(code == Some(2) && shown.contains("already exists"), "{shown}");
    assert_eq!(std::fs::read_to_string(project.path().join("twinsite.toml")).unwrap(), written);
    // What options have said is not asked.
    let given = [
        "init",
        "--domain",
        "new.example.org",
        "--mode",
        "dns",
        "--primary",
        "us-east-1",
        "--backup",
        "us-west-2",
        "--not-found",
        "",
        "--dir",
        "out",
    ];
    let (code, shown) = answered(&project, &given, &[("Replace it?", "y")]);
    assert_eq!(code, Some(0), "{shown}");
    let replaced = std::fs::read_to_string(project.path().join("twinsite.toml")).unwrap();
    assert!(replaced.contains("new.example.org") && replaced.contains("mode = \"dns\""), "{replaced}");
    assert_eq!(std::fs::read_to_string(project.path().join(".gitignore")).unwrap(), ".twinsite/\n", "added once");
}

/// A command on the served cloud as if that were AWS: without `--local`, questions are asked.
fn as_on_aws(project: &Project, server: &Server, args: &[&str]) -> crate::Ran {
    let mut command = project.command(&[args, &["--endpoint-url", server.api()]].concat());
    command.env("AWS_ACCESS_KEY_ID", "embedded").env("AWS_SECRET_ACCESS_KEY", "embedded-secret");
    crate::Ran(command.output().unwrap())
}

#[test]
fn without_a_terminal_what_needs_a_confirmation_is_refused_unless_it_is_given() {
    let project = Project::new();
    project.local(&["apply"]);
    let server = Server::start(&project, &[]);
    let change = |document: &str| {
        project.write("twinsite.toml", &format!("{CONFIG}[publish]\nnot_found = \"{document}\"\n"));
    };
    change("lost.html");
    let refused = |args: &[&str]| {
        let ran = as_on_aws(&project, &server, args);
        assert_eq!(ran.code(), 1, "{args:?}: {}", ran.err());
        let error = "error: could not ask for confirmation\n  standard input is not a terminal; nothing was changed\n\
                     hint: pass --yes to confirm";
        assert_eq!(ran.err().trim_end(), error, "{args:?}");
    };
    refused(&["apply"]);
    let plan = as_on_aws(&project, &server, &["plan", "--check", "--json"]);
    assert_eq!(plan.code(), 3, "nothing was applied");
    let fingerprint = plan.lines().pop().unwrap()["fingerprint"].as_str().unwrap().to_owned();
    let applied = as_on_aws(&project, &server, &["apply", "--expect", &fingerprint]);
    assert_eq!(applied.code(), 0, "{}", applied.err());
    assert_eq!(as_on_aws(&project, &server, &["apply"]).code(), 0, "there is nothing to confirm");
    change("gone.html");
    assert_eq!(as_on_aws(&project, &server, &["apply", "--yes"]).code(), 0);
    refused(&["drill"]);
    refused(&["destroy"]);
}
