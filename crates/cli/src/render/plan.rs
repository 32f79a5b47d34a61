//! Plans as text: steps by resource, and what each of them changes, from the value before to the value after.

use std::fmt::Write;

use twinsite_core::Reason;
use twinsite_site::{PlanSummary, PlannedStep, PropertyChange};

use super::printable::one_line;
use super::wording::{COLUMNS, count, wrapped};

/// How many pending steps `status` shows.
const SHOWN_IN_STATUS: usize = 10;
/// How many characters before a difference are shown of a value that does not fit a line.
const CONTEXT: usize = 16;

/// A plan. By default, what is created takes one line for each resource, and values that do not fit a line are shortened to where they
/// differ; `verbose` shows every step with all of its properties in full.
pub(super) fn plan(plan: &PlanSummary, verbose: bool) -> String {
    if plan.steps.is_empty() {
        return "nothing to do: the site matches its configuration".to_owned();
    }
    let mut text = steps(&plan.steps, verbose).join("\n");
    let waves = plan.steps.last().map_or(0, |step| step.wave + 1);
    let (number, waves) = (count(plan.steps.len(), "step"), count(waves, "wave"));
    let hint = if verbose { "" } else { "; -v shows every property" };
    let _ = write!(text, "\n\n{number} in {waves}; fingerprint {}{hint}", plan.fingerprint);
    text
}

/// The first of the pending steps, in the words of the plan.
pub(super) fn pending(all: &[PlannedStep]) -> Vec<String> {
    let mut lines = steps(all, false);
    let more = lines.len().saturating_sub(SHOWN_IN_STATUS);
    if more > 0 {
        lines.truncate(SHOWN_IN_STATUS);
        lines.push(format!("… and {} more: see `twinsite plan`", count(more, "line")));
    }
    lines
}

fn steps(all: &[PlannedStep], verbose: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for group in by_resource(all) {
        let created = group.iter().position(|step| step.action == "create").filter(|_| !verbose);
        let is_setting = |index: usize, step: &PlannedStep| {
            created.is_some_and(|created| index != created) && step.changes.iter().all(|change| change.before.is_none())
        };
        let mut settings = Vec::new();
        let mut is_named = false;
        for (index, step) in group.iter().enumerate() {
            if is_setting(index, step) {
                settings.push(step.step.rsplit('/').next().unwrap_or(&step.step));
                continue;
            }
            lines.push(headline(step, is_named, verbose));
            is_named = true;
            for change in
                step.changes.iter().filter(|change| verbose || step.action != "create" || change.before.is_some())
            {
                lines.extend(property(change, verbose));
            }
        }
        if !settings.is_empty() {
            lines.push(wrapped("    with ", &settings.join(", ")));
        }
    }
    lines.iter().flat_map(|lines| lines.split('\n').map(str::to_owned)).collect()
}

/// The steps of each resource, those of a service together, in the order in which they first occur.
fn by_resource(all: &[PlannedStep]) -> Vec<Vec<&PlannedStep>> {
    let mut services: Vec<&str> = Vec::new();
    let mut groups: Vec<Vec<&PlannedStep>> = Vec::new();
    for step in all {
        if !services.contains(&step.resource.service.as_str()) {
            services.push(&step.resource.service);
        }
        match groups.iter_mut().find(|group| group[0].resource == step.resource) {
            Some(group) => group.push(step),
            None => groups.push(vec![step]),
        }
    }
    groups.sort_by_key(|group| services.iter().position(|service| *service == group[0].resource.service));
    groups
}

fn headline(step: &PlannedStep, is_named: bool, verbose: bool) -> String {
    let symbol = match step.action {
        "create" => '+',
        "update" => '~',
        "delete" => '-',
        _ => '…',
    };
    let resource = &step.resource;
    let mut words = Vec::new();
    if !is_named || verbose {
        let name = if resource.name.starts_with("(known after") { "" } else { &resource.name };
        words.push(format!("{} {} {}", resource.service, resource.kind, one_line(name)).trim().to_owned());
    }
    // What the sign and the properties say already.
    let implied = [Reason::Absent, Reason::Drifted, Reason::Pending, Reason::Asked("destroy".to_owned())];
    if verbose || !implied.iter().any(|reason| reason.to_string() == step.reason) {
        words.push(step.reason.clone());
    }
    if verbose || step.action == "wait" {
        words.extend(step.usually.map(|usually| format!("usually {usually}")));
    }
    wrapped(&format!("{symbol} {:<22} ", step.step), &words.join(", ")).trim_end().to_owned()
}

/// The lines of a property.
fn property(change: &PropertyChange, verbose: bool) -> Vec<String> {
    let PropertyChange { property, before, after, .. } = change;
    let is_long = |value: &Option<String>| value.as_ref().is_some_and(|value| value.contains('\n'));
    if is_long(before) || is_long(after) {
        return lines_of(change, verbose);
    }
    let value = |text: &str| if text.is_empty() { "\"\"".to_owned() } else { one_line(text).into_owned() };
    let (before, after) = (before.as_deref().map(value), after.as_deref().map(value));
    let Some(before) = before else {
        let after = after.unwrap_or_default();
        let room = COLUMNS.saturating_sub(property.chars().count() + 7);
        let after = if verbose { after } else { excerpt(&after, 0, room) };
        return vec![format!("    {property} = {after}")];
    };
    let after = after.unwrap_or_else(|| "(none)".to_owned());
    let line = format!("    {property}: {before} -> {after}");
    if verbose || line.chars().count() <= COLUMNS {
        return vec![line];
    }
    let common = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let shown = |value: &str| excerpt(value, common.saturating_sub(CONTEXT), COLUMNS - 9);
    vec![format!("    {property}:"), format!("         {}", shown(&before)), format!("      -> {}", shown(&after))]
}

/// A value in so many characters, beginning where it is of interest if it does not fit.
fn excerpt(value: &str, from: usize, room: usize) -> String {
    let length = value.chars().count();
    if length <= room {
        return value.to_owned();
    }
    let from = from.min(length.saturating_sub(room.saturating_sub(1)));
    let (start, room) = if from > 0 { ("…", room.saturating_sub(1)) } else { ("", room) };
    let rest: String = value.chars().skip(from).collect();
    match rest.char_indices().nth(room.saturating_sub(1)) {
        Some((at, _)) if rest.chars().count() > room => format!("{start}{}…", &rest[..at]),
        _ => format!("{start}{rest}"),
    }
}

/// A property of several lines, such as the code of a function: where it differs, or all lines that differ.
fn lines_of(change: &PropertyChange, verbose: bool) -> Vec<String> {
    let PropertyChange { property, before, after, .. } = change;
    let lines = |value: &Option<String>| -> Vec<String> {
        value.iter().flat_map(|value| value.lines().map(|line| one_line(line).into_owned())).collect()
    };
    let (old, new) = (lines(before), lines(after));
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    if !verbose {
        let size = |value: &Option<String>| {
            value.as_ref().map_or_else(|| "(none)".to_owned(), |v| format!("{} bytes", v.len()))
        };
        let at = if before.is_some() { format!(", from line {} on", start + 1) } else { String::new() };
        return vec![format!("    {property}: {} -> {}{at}", size(before), size(after))];
    }
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(old, new)| old == new).count();
    let mut shown = vec![format!("    {property}, from line {} on:", start + 1)];
    shown.extend(old[start..old.len() - end].iter().map(|line| format!("      - {line}").trim_end().to_owned()));
    shown.extend(new[start..new.len() - end].iter().map(|line| format!("      + {line}").trim_end().to_owned()));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str, verbose: bool) -> String {
        let (before, after) = (Some(before.to_owned()), Some(after.to_owned()));
        property(&PropertyChange::new("Policy", before, after), verbose).join("\n")
    }

    #[test]
    fn long_values_are_shortened_to_where_they_differ_and_whole_with_verbose() {
        assert_eq!(shown("a", "", false), "    Policy: a -> \"\"");
        let policy = |effect: &str| {
            let action = "\"s3:GetObject\",".repeat(20);
            format!("{{\"Statement\":[{{\"Action\":[{action}],\"Effect\":\"{effect}\",{}}}]}}", "\"x\":1,".repeat(40))
        };
        let (old, new) = (policy("Allow"), policy("Deny"));
        let short = shown(&old, &new, false);
        assert!(
            short.contains("\"Effect\":\"Allow") && short.contains("-> …") && short.contains("\"Deny\""),
            "{short}"
        );
        assert!(short.lines().all(|line| line.chars().count() <= COLUMNS), "{short}");
        assert_eq!(shown(&old, &new, true), format!("    Policy: {old} -> {new}"));
        let prefix = "x".repeat(200);
        let tail = shown(&prefix, &format!("{prefix}y"), false);
        assert!(tail.ends_with("xy") && tail.lines().all(|line| line.chars().count() <= COLUMNS), "{tail}");
    }

    #[test]
    fn code_is_shown_line_by_line() {
        let (old, new) = ("a\nb\nc\n", "a\nB\nc\n");
        assert_eq!(shown(old, new, false), "    Policy: 6 bytes -> 6 bytes, from line 2 on");
        assert_eq!(shown(old, new, true), "    Policy, from line 2 on:\n      - b\n      + B");
    }
}
