//! The results of `failover` and `failback` as text.

use std::fmt::Write;

use twinsite_site::{EdgeInvalidation, FailedBack, FailedOver, Leveled, Moved, MovedBy, SeenOverHttps};

use super::wording::{count, size};

pub(super) fn failed_over(failed_over: &FailedOver) -> String {
    let FailedOver { backup, moved, .. } = failed_over;
    if moved.by == MovedBy::SwitchObject {
        format!("failing over to {backup}\nDNS follows the health check within minutes; `twinsite failback` reverts it")
    } else {
        let first = if moved.changed { "failed over" } else { "already failed over" };
        let mut text = format!("{first}: edges of CloudFront serve {backup} from the backup");
        text.push_str(&seen(moved));
        text.push_str(
            "\nnext: `twinsite failback --percent 10`, then `twinsite failback`, once the primary is healthy",
        );
        text
    }
}

pub(super) fn failed_back(failed_back: &FailedBack) -> String {
    let FailedBack { was_failed_over, leveled, moved, .. } = failed_back;
    let copied = leveled.as_ref().map(self::leveled).unwrap_or_default();
    copied
        + &match (moved.by, moved.primary_percent) {
            _ if !was_failed_over && leveled.is_some() => {
                "visitors were not sent to the backup: they get the primary as soon as it is healthy".to_owned()
            }
            _ if !was_failed_over => "nothing to do: the site is not failed over".to_owned(),
            (MovedBy::SwitchObject, _) => "failing back: DNS leads to the primary again within minutes".to_owned(),
            (_, 100) => format!("failed back: edges of CloudFront serve from the primary{}", seen(moved)),
            (_, percent) => format!(
                "failed back in part: edges of CloudFront serve {percent} % of visitors from the primary{}\nnext: repeat it with a higher \
             --percent, or without it; `twinsite failover` reverts it",
                seen(moved)
            ),
        }
}

fn leveled(leveled: &Leveled) -> String {
    let Leveled { copied, bytes, deleted, since, superseded, .. } = leveled;
    let mut text = format!(
        "the primary is active again: {} copied to it ({}), {deleted} deleted; the backup was active since {since}\n",
        count(*copied, "object"),
        size(*bytes)
    );
    for id in superseded {
        let _ = writeln!(text, "release {id}, which only the primary had, is superseded");
    }
    text
}

/// What was seen of it, and what edges hold.
fn seen(moved: &Moved) -> String {
    let mut text = String::new();
    match &moved.seen {
        Some(SeenOverHttps { page_status, seconds, .. }) => {
            let page = page_status.map_or("does not respond".to_owned(), |status| format!("answers {status}"));
            let _ = write!(text, "\nseen over HTTPS after {seconds} s; the front page {page}");
        }
        None => text.push_str("\nnot seen: the site was not requested"),
    }
    match &moved.invalidation {
        Some(EdgeInvalidation::NotAccepted { reason }) => {
            let _ = write!(text, "\nno invalidation, so what edges hold stays until its age: {reason}");
        }
        Some(_) => text.push_str("\ninvalidation accepted: edges forget what they hold within minutes"),
        None => {}
    }
    text
}
