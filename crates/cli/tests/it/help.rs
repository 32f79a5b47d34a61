//! The help of every command, on a terminal of 80 columns, and suggestions for what was mistyped.

use crate::{Project, Ran};

fn help(project: &Project, args: &[&str]) -> String {
    let mut command = project.command(&[args, &["--help"]].concat());
    let ran = Ran(command.env("COLUMNS", "80").output().unwrap());
    assert!(ran.code() == 0 && ran.err().is_empty(), "{args:?}: {}", ran.err());
    ran.out()
}

/// The commands that a help lists.
pub(crate) fn listed(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn every_command_has_a_help_of_80_columns_with_the_global_options_last() {
    let project = Project::new();
    let top = help(&project, &[]);
    let mut all = vec![("help".to_owned(), top.clone())];
    for command in listed(&top).into_iter().filter(|command| *command != "help") {
        let text = help(&project, &[command]);
        for sub in listed(&text).into_iter().filter(|command| *command != "help") {
            all.push((format!("help_{command}_{sub}"), help(&project, &[command, sub])));
        }
        all.push((format!("help_{command}"), text));
    }
    assert!(all.len() > 17, "{}", all.len());
    for (name, text) in &all {
        for line in text.lines() {
            assert!(line.chars().count() <= 80 && line.trim_end() == line, "{name}: `{line}`");
        }
        let headings: Vec<&str> = text.lines().filter(|l| l.ends_with(':') && !l.starts_with(' ')).collect();
        assert_eq!(headings.last(), Some(&"Global options:"), "{name}: {headings:?}");
        assert_eq!(headings.iter().filter(|heading| **heading == "Global options:").count(), 1, "{name}");
        insta::assert_snapshot!(name.as_str(), text);
    }
}

#[test]
fn mistyped_commands_and_options_are_answered_with_a_suggestion() {
    let project = Project::new();
    for (args, meant) in [
        (&["stauts"][..], "status"),
        (&["rolback"], "rollback"),
        (&["deploy", "--dry-rum"], "--dry-run"),
        (&["drill", "--restor"], "--restore"),
        (&["plan", "--lokal"], "--local"),
        (&["backfill", "--engine", "bacth"], "batch"),
        (&["cert", "imprt"], "import"),
    ] {
        let ran = project.run(args);
        let quoted = format!("'{meant}'");
        assert!(ran.code() == 2 && ran.err().starts_with("error: "), "{args:?}: {}", ran.err());
        assert!(ran.err().contains("tip: ") && ran.err().contains(&quoted), "{args:?}: {}", ran.err());
    }
}
