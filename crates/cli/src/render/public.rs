//! What stays public although it is not part of a release, and what a purge removes.

use std::fmt::Write;

use twinsite_site::{
    DeployPlanSummary, InvalidationResult, PurgePlan, PurgeResult, PurgedKey, RulesResult, StillPublic,
};

use super::printable::one_line;
use super::wording::count;

/// The question before a purge: what it destroys.
pub(crate) fn purge_question(plan: &PurgePlan) -> String {
    let mut text = String::new();
    for key in plan.summary() {
        let buckets = Buckets { primary: &plan.buckets().primary, backup: &plan.buckets().backup };
        text.push_str(&key_line("purge", &key, &buckets));
    }
    text + "This cannot be undone, and no rollback brings them back. Type purge to continue: "
}

/// The names of the buckets.
struct Buckets<'a> {
    primary: &'a str,
    backup: &'a str,
}

fn key_line(verb: &str, key: &PurgedKey, buckets: &Buckets<'_>) -> String {
    let (primary, backup) = (count(key.primary, "version"), count(key.backup, "version"));
    format!("{verb:<8} {}: {primary} in {}, {backup} in {}\n", one_line(&key.key), buckets.primary, buckets.backup)
}

/// The part of a dry run that is about purged and public objects.
pub(super) fn planned(plan: &DeployPlanSummary) -> String {
    let mut text = rules(&plan.rules);
    text.push_str(&still_public(&plan.still_public, true));
    for key in &plan.purge {
        let backup = plan.backup.as_ref().map_or("the backup", |backup| &backup.bucket);
        let buckets = Buckets { primary: &plan.primary.bucket, backup };
        text.push_str(&key_line("purge", key, &buckets));
    }
    for key in &plan.left_out {
        let _ = writeln!(text, "purged since the release, and left out: {}", one_line(key));
    }
    text
}

/// How many rules there are, and how many are not honoured; the warnings say which and why.
pub(super) fn rules(rules: &RulesResult) -> String {
    let RulesResult { redirects, headers, clean_urls, not_honored, .. } = rules;
    if *redirects == 0 && *headers == 0 && *clean_urls == 0 && not_honored.is_empty() {
        return String::new();
    }
    let clean = if *clean_urls == 0 { String::new() } else { format!(", {}", count(*clean_urls, "clean URL")) };
    let warned = match not_honored.len() {
        0 => String::new(),
        found => format!("; {} about rules that are not honoured, or not everywhere", count(found, "warning")),
    };
    format!("rules    {}, {}{clean}{warned}\n", count(*redirects, "redirect rule"), count(*headers, "header rule"))
}

/// What a purge has done.
pub(super) fn purged(result: &PurgeResult) -> String {
    let mut text = String::new();
    let buckets = Buckets { primary: "the primary", backup: "the backup" };
    for key in &result.keys {
        text.push_str(&key_line("purged", key, &buckets));
    }
    for key in &result.pending {
        let _ =
            writeln!(text, "pending  {}: the next deploy, rollback or purge removes what still arrives", one_line(key));
    }
    match &result.invalidation {
        InvalidationResult::Pending { .. } => {
            text.push_str("cdn      invalidation of what was purged is pending: the next deploy requests it\n");
        }
        InvalidationResult::Accepted { paths, .. } => {
            let _ = writeln!(text, "cdn      {} invalidated for what was purged", count(*paths, "path"));
        }
        InvalidationResult::None => {}
    }
    text
}

/// What visitors can still request, by reason.
pub(super) fn still_public(public: &StillPublic, verbose: bool) -> String {
    let mut text = String::new();
    let StillPublic { superseded, foreign, .. } = public;
    let shown = if verbose { usize::MAX } else { 0 };
    if !superseded.is_empty() {
        let releases: Vec<u64> = superseded.iter().filter_map(|one| one.release).collect();
        let releases = match (releases.iter().min(), releases.iter().max()) {
            (Some(first), Some(last)) if first == last => format!("for release {first}"),
            (Some(first), Some(last)) => format!("for releases {first} to {last}"),
            _ => "for earlier releases".to_owned(),
        };
        let _ = writeln!(text, "public   {} kept {releases}", count(superseded.len(), "superseded asset"));
        for one in superseded.iter().take(shown) {
            let _ = writeln!(text, "           {}", one_line(&one.key));
        }
    }
    if !foreign.is_empty() {
        let _ = writeln!(text, "public   {} that twinsite did not publish", count(foreign.len(), "object"));
        for key in foreign.iter().take(shown) {
            let _ = writeln!(text, "           {}", one_line(key));
        }
    }
    if !text.is_empty() && !verbose {
        text.push_str("         -v lists them; noncurrent versions are not public\n");
    }
    text
}
