//! Who holds a lock, and whether that process still lives.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who holds a lock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Owner {
    /// What is being done: `deploy`, `rollback`.
    pub what: String,
    /// As whom, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The machine's name.
    pub host: String,
    /// The process's number on that machine.
    pub process: u32,
    /// What tells this start of this machine, and this process, from any other of the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth: Option<String>,
}

impl Owner {
    /// This process.
    pub fn here(what: &str) -> Self {
        let process = std::process::id();
        let host = read("/proc/sys/kernel/hostname").unwrap_or_else(|| "this machine".to_owned());
        Self { what: what.to_owned(), who: None, host, process, birth: birth(process) }
    }

    /// True when it is known to have ended: it ran on this machine, and does not any more. A process elsewhere may
    /// be dead too, but that only its silence tells.
    pub fn is_dead(&self) -> bool {
        let Some(mine) = place() else { return false };
        let here = self.birth.as_ref().is_some_and(|birth| birth.starts_with(&mine));
        here && birth(self.process) != self.birth
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, who, host, process, birth: _ } = self;
        let who = who.as_deref().map(|who| format!(" by {who}")).unwrap_or_default();
        write!(f, "a {what}{who} on {host} (process {process})")
    }
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(file).ok().map(|text| text.trim().to_owned())
}

/// This start of this machine, and the space that process numbers are from; known on Linux only.
fn place() -> Option<String> {
    let boot = read("/proc/sys/kernel/random/boot_id")?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{boot}/{}/", space.display()))
}

/// When a process began, in ticks since the machine did.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
fn birth(process: u32) -> Option<String> {
    let stat = read(&format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let began = fields.split_whitespace().nth(19)?;
    Some(format!("{}{began}", place()?))
}
