//! What can be wrong with the source directory, said before anything is changed.

use std::fmt;
use std::path::PathBuf;

use crate::Key;

/// Why a source cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is nothing at this path.
    #[error("the source `{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// It is a file, or something else that has no files in it.
    #[error("the source `{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// It has no file to publish. Refused, so that a build that failed does not empty the site.
    #[error("the source `{}` has no files to publish", .0.display())]
    Empty(PathBuf),
    /// It is below `.twinsite`, where twinsite keeps its own state.
    #[error("the source `{}` is part of `.twinsite`, where twinsite keeps its own state", .0.display())]
    Reserved(PathBuf),
    /// It is the root of a project.
    #[error("the source `{}` is the root of a project: it has {}", .root.display(), quoted(.found))]
    Project {
        /// The directory.
        root: PathBuf,
        /// What only the root of a project has.
        found: Vec<String>,
        /// The directory in it that is likely to be the output of the build.
        output: Option<PathBuf>,
    },
    /// It has no index document at the top, or an empty one.
    #[error("the source `{}` has {} `{index}` at its top", .root.display(), if *.empty { "an empty" } else { "no" })]
    NoIndex {
        /// The directory.
        root: PathBuf,
        /// The name of the index document.
        index: String,
        /// Whether there is one, of no bytes.
        empty: bool,
        /// A directory in it that has one.
        output: Option<PathBuf>,
    },
    /// Some files cannot be published.
    #[error("{}", list(.0))]
    Unpublishable(Vec<Problem>),
    /// A rule is not one.
    #[error(transparent)]
    Rule(#[from] twinsite_core::Invalid),
    /// A file changed while it was being read.
    #[error("`{0}` changed while it was being read")]
    Changed(Key),
    /// A file could not be read.
    #[error("`{key}` could not be read: {source}")]
    Unreadable {
        /// The key it was to become.
        key: Key,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A file that cannot be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The name is not UTF-8, which keys must be.
    NotUtf8,
    /// The key has this many bytes; S3 takes at most 1,024.
    TooLong(usize),
    /// A link that leads nowhere.
    Broken,
    /// A link to one of the folders it is in.
    Loop,
    /// A link that leads out of the source, to this place.
    Escapes(PathBuf),
    /// A pipe, socket or device.
    NotAFile,
    /// It could not be read.
    Unreadable(String),
    /// Another file becomes the same key.
    SameKey(Key),
    /// It has ignore rules, and this one cannot be understood. Lines and columns count from 1.
    MalformedRule {
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
        /// What is wrong.
        why: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.path.display().to_string().escape_debug())?;
        match &self.fault {
            Fault::NotUtf8 => f.write_str("has a name that is not UTF-8; rename it"),
            Fault::TooLong(len) => write!(f, "would be a key of {len} bytes; S3 takes at most {}", Key::MAX_LEN),
            Fault::Broken => f.write_str("is a link that leads nowhere; remove it or mend its target"),
            Fault::Loop => f.write_str("is a link to a folder that it is in; remove it"),
            Fault::Escapes(to) => {
                write!(f, "is a link out of the source, to `{}`; copy the file in, or ignore the link", to.display())
            }
            Fault::NotAFile => f.write_str("is a pipe, socket or device; remove or ignore it"),
            Fault::Unreadable(why) => write!(f, "cannot be read ({why}); mend its permissions or ignore it"),
            Fault::MalformedRule { line, column, why } => {
                write!(f, "cannot be understood, line {line}, column {column}: {why}")
            }
            Fault::SameKey(key) => write!(f, "becomes the key `{key}`, as another file does"),
        }
    }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
    names.join(", ")
}

fn list(problems: &[Problem]) -> String {
    const SHOWN: usize = 10;
    let mut lines: Vec<String> = problems.iter().take(SHOWN).map(ToString::to_string).collect();
    if let Some(more) = problems.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}
