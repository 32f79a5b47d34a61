//! Visitors who know nothing of twinsite: Python's resolver and HTTP client, on the embedded cloud's doors.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::Result;

use crate::embedded::Home;
use crate::interop::tool;
use crate::process::{root, succeed};

/// A word of the example site's front page.
const WORD: &str = "<html";

/// In every mode: healthy, the primary region lost, the primary region back.
pub(crate) fn run(venv: &Path) -> Result<()> {
    for mode in ["dns", "origin", "layered"] {
        let home = Home::fresh("visitors", "debug")?;
        let regions = "[primary]\nregion = \"us-east-1\"\n[backup]\nregion = \"us-west-2\"\n";
        let text = format!("[site]\ndomain = \"www.example.com\"\nmode = \"{mode}\"\n{regions}");
        fs::write(home.path().join("twinsite.toml"), text)?;
        let public = root().join("examples/public");
        succeed(home.twinsite().args(["deploy", "--apply", "--local", "--quiet"]).arg(public))?;
        let serving = home.serve_at(30)?;
        let doors = ["domain", "dns", "http", "https", "authority"].map(|name| serving.said(name));
        let mut python = tool(venv, "python");
        python.current_dir(home.path()).arg(root().join("xtask/check_visitors.py")).args([mode, &serving.endpoint]);
        succeed(python.args(doors).arg(WORD).stdout(Stdio::inherit()))?;
    }
    Ok(())
}
