//! What a person should know about a source before it is published: what is withheld, and rules that do nothing.

use std::fmt::Display;

use twinsite_core::{Event, Run, Verb};
use twinsite_sync::{Key, Source, Withheld};

/// How many names a warning has.
const SHOWN: usize = 5;

/// Tells what a directory has that is not published, which ignore rules match nothing, and that the document for missing pages is missing
/// itself.
pub(crate) fn tell(source: &Source, not_found: Option<&str>, run: &Run) {
    tell_withheld(source.withheld(), run);
    tell_error_document(source, not_found, run);
    let unused = source.unused_rules();
    if !unused.is_empty() {
        let text = format!("ignore rules that match nothing, or only what another rule decides: {}", names(&unused));
        warn(run, text, "correct or remove them; a pattern with `/` in it is relative to its own folder");
    }
}

/// Tells that there is no document for missing pages.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/CustomErrorDocSupport.html>
fn tell_error_document(source: &Source, not_found: Option<&str>, run: &Run) {
    let Some(name) = not_found.filter(|name| !name.is_empty()) else { return };
    if name.parse().is_ok_and(|key: Key| source.get(&key).is_none()) {
        let text =
            format!("there is no `{name}`: visitors get an error of S3 for missing pages, with status 403 or 404");
        warn(run, text, "add it, or name another document with `not_found` in [publish]; \"\" for none");
    }
}

fn tell_withheld(withheld: &[Withheld], run: &Run) {
    for one in withheld {
        let (verb, key) = (Verb::Withhold, one.path.clone());
        run.emit(&Event::Object { verb, side: None, key, reason: one.reason, bytes: 0 });
    }
    let (named, reserved): (Vec<&Withheld>, Vec<&Withheld>) = withheld.iter().partition(|one| one.can_be_named);
    if let Some(first) = named.first() {
        let text =
            format!("not published, because no site has it on purpose: {}; {}", count(named.len()), names(&named));
        let pattern = format!("!/{}", first.path);
        warn(
            run,
            text,
            &format!(
                "to publish one all the same, name it in `.twinsiteignore` or publish.ignore, as in `{pattern}`; -v lists all"
            ),
        );
    }
    if !reserved.is_empty() {
        let text = format!("not published, because the prefix is reserved: {}", names(&reserved));
        warn(run, text, "`.twinsite/` and `.well-known/twinsite/` are twinsite's own, in every spelling: rename it");
    }
}

/// Tells which objects of an older release a deploy would withhold today.
pub(crate) fn tell_of_release(source: &Source, run: &Run) {
    tell_withheld(source.withheld(), run);
    let found = source.names_to_withhold();
    if !found.is_empty() {
        let text =
            format!("the release has what a deploy would not publish: {}; {}", count(found.len()), names(&found));
        warn(run, text, "it is public again after the rollback: deploy without it, and change passwords and keys");
    }
}

/// Tells which objects of an older release are not brought back, because they were purged since.
pub(crate) fn tell_left_out(left_out: &[Key], run: &Run) {
    if !left_out.is_empty() {
        let text = format!("purged since the release, and not brought back: {}", names(left_out));
        run.emit(&Event::Warning { text, hint: None });
    }
}

/// Tells which objects of an older release are not brought back, because others publish them since.
pub(crate) fn tell_below_prefixes(keys: &[Key], run: &Run) {
    if !keys.is_empty() {
        let text =
            format!("published on their own since the release, below a prefix, and left as they are: {}", names(keys));
        warn(run, text, "roll a prefix back on its own: `twinsite rollback --prefix PREFIX`");
    }
}

fn count(count: usize) -> String {
    if count == 1 { "1 name".to_owned() } else { format!("{count} names") }
}

fn names<T: Display>(all: &[T]) -> String {
    let mut names: Vec<String> = all.iter().take(SHOWN).map(ToString::to_string).collect();
    if all.len() > SHOWN {
        names.push(format!("and {} more", all.len() - SHOWN));
    }
    names.join(", ")
}

fn warn(run: &Run, text: String, hint: &str) {
    run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
}
