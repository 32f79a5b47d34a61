//! An imported configuration as text.

use std::fmt::Write as _;

use twinsite_site::NotExpressed;

use super::plan;
use super::printable::one_line;
use super::wording::count;
use crate::result::ImportedResult;

pub(super) fn imported(result: &ImportedResult, verbose: bool) -> String {
    let ImportedResult { imported, path, plan: planned, refused, hints } = result;
    let mut text = String::new();
    if path.is_none() {
        text.push_str(&imported.configuration);
        text.push('\n');
    }
    if !imported.not_expressed.is_empty() {
        text.push_str("not expressed:\n");
        for one in &imported.not_expressed {
            let _ = writeln!(text, "  {}", self::not_expressed(one));
            if let Some(note) = &one.note {
                let _ = writeln!(text, "    {}", one_line(note));
            }
        }
        text.push('\n');
    }
    if let Some(bucket) = imported.bucket.as_ref().filter(|bucket| !bucket.adopted) {
        let _ = writeln!(
            text,
            "the bucket {} does not become one of the site's: `twinsite deploy` fills them\n",
            one_line(&bucket.name)
        );
    }
    match (planned, refused) {
        (Some(planned), _) => {
            let _ = writeln!(text, "`twinsite apply --adopt` would change:\n{}\n", plan::plan(planned, verbose));
        }
        (None, why) => {
            let why = why.as_deref().unwrap_or_default().replace('\n', "\n  ");
            let _ = writeln!(text, "`twinsite apply --adopt` would be refused:\n  {why}");
            for hint in hints {
                let _ = writeln!(text, "hint: {hint}");
            }
            text.push('\n');
        }
    }
    match path {
        Some(path) => {
            let settings = count(imported.settings.len(), "setting");
            let _ = write!(text, "wrote {} with {settings}\nnext: ", one_line(path));
            let steps = ["read it", "`twinsite plan --adopt`", "`twinsite apply --adopt`", "`twinsite deploy`"];
            text.push_str(&steps.join(", then "));
        }
        None => text.push_str("dry run: nothing was written"),
    }
    text
}

/// A setting that no key expresses, in a line.
pub(crate) fn not_expressed(one: &NotExpressed) -> String {
    let NotExpressed { of, setting, value, effect, .. } = one;
    one_line(&format!("{of}: {setting} {value} ({})", effect.as_str())).into_owned()
}
