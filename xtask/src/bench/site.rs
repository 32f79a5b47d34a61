//! The cloud that a program talks to.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::link::{Link, Proxy};
use super::through;
use crate::embedded::{Home, Serving};
use crate::measure::{Taken, measured};
use crate::process::{command, root, works};

const CONFIG: &str = "[site]\ndomain = \"www.example.com\"\n[primary]\nregion = \"us-east-1\"\n[backup]\n\
    region = \"us-west-2\"\n";

/// A cloud in memory that nobody else uses, and the way to it.
pub(super) struct Stage {
    pub(super) home: Home,
    pub(super) serving: Serving,
    link: Link,
    proxy: Option<Proxy>,
    pub(super) venv: PathBuf,
}

impl Stage {
    pub(super) fn open(link: Link, venv: &Path) -> Result<Self> {
        let home = Home::fresh("bench/home", "release")?;
        fs::write(home.path().join("twinsite.toml"), CONFIG)?;
        let serving = home.serve_in_memory()?;
        let proxy = through(link, &serving.endpoint)?;
        Ok(Self { home, serving, link, proxy, venv: venv.to_owned() })
    }

    /// The address that is measured.
    pub(super) fn endpoint(&self) -> &str {
        self.proxy.as_ref().map_or(&self.serving.endpoint, Proxy::address)
    }

    /// Runs a command to its end; what it took, and how many requests of each kind it made.
    pub(super) fn measured(&self, program: &Command) -> Result<(Taken, BTreeMap<String, u64>)> {
        if let Link::Throttled = self.link {
            self.faults("{\"slow_down_every\": 20}")?;
        }
        self.ask("DELETE", "requests", "")?;
        let taken = measured(program)?;
        let requests = serde_json::from_str(&self.ask("GET", "requests", "")?)?;
        self.faults("{}")?;
        Ok((taken, requests))
    }

    /// Breaks and mends the cloud.
    pub(super) fn faults(&self, faults: &str) -> Result<()> {
        self.ask("PUT", "faults", faults).map(drop)
    }

    /// Asks the server itself, not the cloud in it.
    fn ask(&self, method: &str, what: &str, body: &str) -> Result<String> {
        let address = self.serving.endpoint.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "{method} /_twinsite/{what} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("the served cloud answers")?;
        Ok(body.to_owned())
    }

    /// Compares a bucket with a directory: keys and the bytes behind them.
    pub(super) fn is_equal(&self, source: &Path, bucket: &str) -> bool {
        let check = root().join("xtask/same_content.py");
        let mut python = command(self.venv.join("bin/python"));
        works(python.arg(check).arg(source).args([&self.serving.endpoint, bucket]))
    }
}
