//! A directory that is read for publishing.

use std::path::PathBuf;

use futures::future::join;
use tempfile::TempDir;
use twinsite_core::{Mode, Run};
use twinsite_sync::release::Commit;
use twinsite_sync::{Index, Prehasher, Rules, Source, SourceChecks, read_source};

use crate::archive::{Format, unpack};
use crate::commit;
use crate::error::{Context, Error};
use crate::site_rules::{FileHeaders, HEADERS_FILE, HeadersFile, SiteRules, key_below};
use crate::unfinished::warn;

const OPERATION: &str = "publish";

/// Where digests of files are kept, and which commit the directory was built from.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions<'a> {
    /// A file that keeps digests of unchanged files between deploys.
    pub index: Option<PathBuf>,
    /// The id of the commit; git is asked for it if `None`.
    pub commit: Option<&'a str>,
}

/// A directory that was read for publishing, with the commit it was built from.
#[derive(Debug)]
pub struct SourceDirectory {
    pub(crate) dir: PathBuf,
    pub(crate) source: Source,
    pub(crate) rules: Rules,
    pub(crate) commit: Option<Commit>,
    pub(crate) index: Index,
    /// The redirect rules and header rules, if the directory was read for a site.
    pub(crate) site_rules: Option<SiteRules>,
    /// Hashes files until the deploy begins.
    pub(crate) prehasher: Option<Prehasher>,
    /// The temporary directory, if an archive was read. It is deleted with this.
    pub(crate) unpacked: Option<TempDir>,
}

/// Where the files of a source are.
pub(crate) struct SourcePath<'a> {
    /// The directory.
    pub(crate) dir: PathBuf,
    /// The temporary one of an archive.
    pub(crate) unpacked: Option<TempDir>,
    /// The options that make sense for it.
    pub(crate) options: SourceOptions<'a>,
}

impl<'a> SourcePath<'a> {
    /// A directory, or the one that an archive is unpacked into, whose files are new each time, so that no index knows them.
    pub(crate) async fn open(path: PathBuf, options: SourceOptions<'a>) -> Result<Self, Error> {
        let Some(format) = Format::of(&path) else { return Ok(Self { dir: path, unpacked: None, options }) };
        let unpacking = tokio::task::spawn_blocking(move || unpack(&path, format)).await;
        let unpacked = unpacking.map_err(std::io::Error::from).context(OPERATION)?.context(OPERATION)?;
        let options = SourceOptions { index: None, ..options };
        Ok(Self { dir: unpacked.path().to_owned(), unpacked: Some(unpacked), options })
    }
}

impl SourceDirectory {
    /// Reads a directory, or an archive: a TAR, plain or compressed with gzip, or a ZIP; `-` is a TAR on standard input. `index` is a file that keeps digests of unchanged files between deploys; `commit` the id of the
    /// commit that the directory was built from, which git is asked for if `None`.
    ///
    /// # Errors
    /// Files that cannot be published, malformed rules, redirect rules that lead in a circle, and directories that do not pass
    /// [`crate::PublishConfig::checks`].
    pub async fn read(
        config: &crate::Config,
        dir: impl Into<PathBuf>,
        index: Option<PathBuf>,
        commit: Option<&str>,
    ) -> Result<Self, Error> {
        Self::read_with(config, dir.into(), config.publish.checks, SourceOptions { index, commit }).await
    }

    /// The same with other checks.
    pub(crate) async fn read_with(
        config: &crate::Config,
        dir: PathBuf,
        checks: SourceChecks,
        options: SourceOptions<'_>,
    ) -> Result<Self, Error> {
        let rules = config.rules().context("use the configuration")?;
        let SourcePath { dir, unpacked, options } = SourcePath::open(dir, options).await?;
        let found = dir.clone();
        let file = tokio::task::spawn_blocking(move || HeadersFile::read(&found)).await;
        let mut headers = match file.map_err(std::io::Error::from).context(OPERATION)? {
            Some(file) => file.header_rules(&config.index),
            None => Ok(FileHeaders::default()),
        };
        let given = headers.as_mut().map(|headers| std::mem::take(&mut headers.rules)).unwrap_or_default();
        let has_rules = !given.is_empty();
        let with = rules.clone().earlier_headers(given);
        let mut read = Self::read_by(with, checks, dir.clone(), options.clone()).await?;
        let is_published = key_below(config, HEADERS_FILE).is_ok_and(|key| read.source.get(&key).is_some());
        if !is_published {
            // An ignored file has no rules, and no mistakes.
            headers = Ok(FileHeaders::default());
            if has_rules {
                read = Self::read_by(rules, checks, dir, options).await?;
            }
        }
        read.unpacked = unpacked;
        read.site_rules = Some(SiteRules::compile(config, &mut read.source, headers?)?);
        Ok(read)
    }

    /// The same with other rules.
    pub(crate) async fn read_by(
        rules: Rules,
        checks: SourceChecks,
        dir: PathBuf,
        options: SourceOptions<'_>,
    ) -> Result<Self, Error> {
        let SourceOptions { index, commit } = options;
        let index = index.map_or_else(Index::memory, |file| Index::open(&file));
        let (path, walk_rules) = (dir.clone(), rules.clone());
        let walking = tokio::task::spawn_blocking(move || read_source(path, &walk_rules, checks));
        let (source, commit) = join(walking, commit::commit_of(&dir, commit)).await;
        let source = source.map_err(std::io::Error::from).context(OPERATION)?.context(OPERATION)?;
        let prehasher = Some(Prehasher::start(&source, &index));
        Ok(Self { dir, source, rules, commit, index, prehasher, site_rules: None, unpacked: None })
    }

    /// The redirect rules and header rules; tells which of them are not honoured.
    pub(crate) fn take_rules(&mut self, mode: Mode, run: &Run) -> SiteRules {
        let rules = self.site_rules.take().unwrap_or_default();
        rules.tell(mode, run);
        rules
    }

    /// What it contains.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The directory.
    pub fn dir(&self) -> &std::path::Path {
        &self.dir
    }
}

/// The index only saves work, so a failure to store it is a warning.
pub(crate) fn save_index(index: &Index, run: &Run) {
    if let Err(error) = index.save() {
        let text = format!("the index of file digests could not be saved: {error}");
        warn(run, text, "the next deploy hashes every file again; nothing else depends on it");
    }
}
