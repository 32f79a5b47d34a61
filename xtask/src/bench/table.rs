//! What came of it: a table for people, and the same as a document.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::chart;
use super::tools::{ENGINE, TWINSITE};
use crate::measure::Taken;
use crate::process::root;

/// One process that did one work.
#[derive(Deserialize, Serialize)]
pub(super) struct Sample {
    pub(super) series: String,
    pub(super) work: String,
    pub(super) who: String,
    pub(super) round: usize,
    #[serde(flatten)]
    pub(super) taken: Taken,
    pub(super) requests: BTreeMap<String, u64>,
    /// Whether the bucket held what the source holds, afterwards.
    pub(super) equal: bool,
}

/// Medians of what one program took for one work.
pub(super) struct Row<'a> {
    pub(super) series: &'a str,
    pub(super) work: &'a str,
    pub(super) who: &'a str,
    pub(super) wall: f64,
    cpu: f64,
    peak: f64,
    requests: u64,
    rounds: usize,
    pub(super) equal: bool,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// In the order in which things were done first.
pub(super) fn rows(samples: &[Sample]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for sample in samples {
        let is_it =
            |row: &&Row<'_>| (row.series, row.work, row.who) == (&sample.series[..], &sample.work[..], &sample.who[..]);
        if rows.iter().any(|row| is_it(&row)) {
            continue;
        }
        let all: Vec<&Sample> = samples
            .iter()
            .filter(|other| (&other.series, &other.work, &other.who) == (&sample.series, &sample.work, &sample.who))
            .collect();
        let middle = |of: fn(&Taken) -> f64| median(all.iter().map(|one| of(&one.taken)).collect());
        rows.push(Row {
            series: &sample.series,
            work: &sample.work,
            who: &sample.who,
            wall: middle(|taken| taken.wall),
            cpu: middle(|taken| taken.cpu),
            peak: middle(|taken| taken.peak),
            requests: sample.requests.values().sum(),
            rounds: all.len(),
            equal: all.iter().all(|one| one.equal),
        });
    }
    let order = |row: &Row<'_>| rows_order(samples, row);
    let mut keyed: Vec<_> = rows.into_iter().map(|row| (order(&row), row)).collect();
    keyed.sort_by(|(a, one), (b, other)| a.cmp(b).then(one.wall.total_cmp(&other.wall)));
    keyed.into_iter().map(|(_, row)| row).collect()
}

fn rows_order(samples: &[Sample], row: &Row<'_>) -> usize {
    let same = |sample: &Sample| sample.series == row.series && sample.work == row.work;
    samples.iter().position(same).unwrap_or(usize::MAX)
}

/// The median of one of ours over the best rival's whose bucket was true to the source.
pub(super) fn ratio(rows: &[Row<'_>], series: &str, work: &str, who: &str) -> Option<(f64, String)> {
    let here = || rows.iter().filter(|row| row.series == series && row.work == work);
    let ours = here().find(|row| row.who == who)?;
    let rivals = here().filter(|row| !is_ours(row) && row.equal);
    let best = rivals.min_by(|a, b| a.wall.total_cmp(&b.wall))?;
    Some((ours.wall / best.wall, best.who.to_owned()))
}

/// What is compared.
type Figure = (&'static str, fn(&Row<'_>) -> f64);

#[expect(clippy::cast_precision_loss, reason = "some thousands of requests")]
const FIGURES: [Figure; 4] = [
    ("wall", |row| row.wall),
    ("CPU", |row| row.cpu),
    ("memory", |row| row.peak),
    ("requests", |row| row.requests as f64),
];

/// One of ours over the least of all rivals whose bucket was true to the source, each figure by itself.
fn shares(rows: &[Row<'_>], ours: &Row<'_>) -> Option<Vec<f64>> {
    let same = |row: &&Row<'_>| (row.series, row.work) == (ours.series, ours.work);
    let rivals: Vec<_> = rows.iter().filter(same).filter(|row| !is_ours(row) && row.equal).collect();
    let share = |(_, of): &Figure| {
        let least = rivals.iter().map(|row| of(row)).min_by(f64::total_cmp)?;
        Some(of(ours) / least)
    };
    FIGURES.iter().map(share).collect()
}

fn is_ours(row: &Row<'_>) -> bool {
    [TWINSITE, ENGINE].contains(&row.who)
}

/// All that is ours in one table: shares of the best rival's figures.
fn overview(rows: &[Row<'_>]) -> String {
    let names: Vec<_> = FIGURES.iter().map(|(name, _)| *name).collect();
    let mut text = format!("| work | program | {} |\n|---|---|{}\n", names.join(" | "), "---:|".repeat(names.len()));
    for row in rows.iter().filter(|row| is_ours(row)) {
        let Some(shares) = shares(rows, row) else { continue };
        let shares: Vec<_> = shares.iter().map(|share| format!("{share:.2}")).collect();
        let _ = writeln!(text, "| {}, {} | {} | {} |", row.series, row.work, row.who, shares.join(" | "));
    }
    text
}

fn markdown(samples: &[Sample]) -> String {
    let rows = rows(samples);
    let mut text = format!(
        "### Shares\n\nOf the least that any rival took which was true to the source, each figure by itself.\n\n{}",
        overview(&rows)
    );
    let mut last = ("", "");
    for row in &rows {
        if last != (row.series, row.work) {
            last = (row.series, row.work);
            let shares = [TWINSITE, ENGINE].map(|who| (who, ratio(&rows, row.series, row.work, who)));
            let shares = shares.into_iter().filter_map(|(who, ratio)| ratio.map(|(ratio, best)| (who, ratio, best)));
            let told: Vec<_> = shares.map(|(who, ratio, best)| format!("{who} {ratio:.2} of {best}")).collect();
            let _ = write!(
                text,
                "\n### {}, {}\n\n{}. {}.\n\n| program | wall s | CPU s | peak MiB | requests |\n|---|---:|---:|---:|---:|\n",
                row.series,
                row.work,
                told.join(", "),
                if row.rounds == 1 { "Measured once".to_owned() } else { format!("Medians of {}", row.rounds) }
            );
        }
        let Row { who, wall, cpu, peak, requests, equal, .. } = row;
        let missed = if *equal { "" } else { " (bucket not equal to the source)" };
        let _ = writeln!(text, "| {who}{missed} | {wall:.2} | {cpu:.2} | {peak:.0} | {requests} |");
    }
    text
}

/// Shows the table.
#[expect(clippy::print_stdout, reason = "the table is the command's result")]
pub(super) fn print(samples: &[Sample]) {
    println!("{}", markdown(samples));
}

/// Keeps the table and a chart with the documentation.
pub(super) fn document(samples: &[Sample]) -> Result<()> {
    let docs = root().join("docs/src");
    let text = fs::read_to_string(docs.join("benchmarks.md"))?;
    let start = "<!-- figures -->";
    let (head, _) = text.split_once(start).unwrap_or((&text, ""));
    let table = markdown(samples);
    fs::write(docs.join("benchmarks.md"), format!("{head}{start}\n{table}"))?;
    fs::write(docs.join("benchmarks.svg"), chart::draw(&rows(samples)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(who: &str, wall: f64, equal: bool) -> Sample {
        let taken = Taken { wall, ..Taken::default() };
        let (series, work) = ("loopback/medium".to_owned(), "first publish".to_owned());
        Sample { series, work, who: who.to_owned(), round: 0, taken, requests: BTreeMap::new(), equal }
    }

    #[test]
    fn who_missed_something_is_no_rival_and_medians_are_compared() {
        let mut samples = vec![sample("hugo", 4.0, true), sample("s5cmd", 0.5, false)];
        samples.extend([1.0, 9.0, 2.0].map(|wall| sample("twinsite", wall, true)));
        let rows = rows(&samples);
        assert_eq!(ratio(&rows, "loopback/medium", "first publish", TWINSITE), Some((0.5, "hugo".to_owned())));
        assert_eq!(ratio(&rows, "loopback/large", "first publish", TWINSITE), None);
        let text = markdown(&samples);
        assert!(text.contains("twinsite 0.50 of hugo."), "{text}");
        assert!(text.contains("s5cmd (bucket not equal to the source)"), "{text}");
        assert!(text.contains("| loopback/medium, first publish | twinsite | 0.50 |"), "{text}");
        let svg = chart::draw(&rows);
        assert!(svg.contains("0.50 of hugo") && svg.contains("width=\"180\""), "{svg}");
    }
}
