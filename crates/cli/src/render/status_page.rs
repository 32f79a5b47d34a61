//! The state of a site as one self-contained HTML page without scripts.

use std::fmt::Write;

use twinsite_site::{Level, Part, SiteHealth, Status};

use super::html::{escaped, opening};
use super::plan::pending;
use super::status::{Row, health, rows};
use super::with_flags;

/// `flags` are appended to commands. A page that is written again and again is loaded again every `reload` seconds.
pub(super) fn page(status: &Status, flags: &str, reload: Option<u64>) -> String {
    let class = if status.health == SiteHealth::Healthy { "met" } else { "missed" };
    let reload =
        reload.map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n")).unwrap_or_default();
    let head = format!("<meta name=\"robots\" content=\"noindex\">\n{reload}");
    let mut html = opening(&format!("Status of {}", status.domain), &head);
    let _ = write!(
        html,
        "<p class=\"{class}\">{}</p>\n<p>{}, mode <b>{}</b></p>\n",
        escaped(health(status)),
        escaped(&status.time),
        escaped(&status.mode)
    );
    let commands = |text: &str| with_code(&with_flags(text, flags));
    list(
        &mut html,
        "Findings",
        status.findings.iter().map(|finding| {
            let level = match finding.level {
                Level::Problem => "Problem",
                Level::Unknown => "Unknown",
                Level::Notice => "Notice",
            };
            format!("<b>{level}:</b> {}", commands(&finding.text))
        }),
    );
    list(&mut html, "What to do next", status.next.iter().map(|next| commands(next)));
    html.push_str("<h2>Parts</h2>\n<table class=\"parts\">\n<tbody>\n");
    for Row { name, value } in rows(status) {
        let _ = writeln!(html, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escaped(name), commands(&value));
    }
    html.push_str("</tbody>\n</table>\n");
    if let Part::Known { value } = &status.pending_steps {
        list(&mut html, "Pending changes", pending(value).iter().map(|step| commands(step)));
    }
    html.push_str("<footer>Written by twinsite.</footer>\n</main>\n</body>\n</html>\n");
    html
}

/// A list under a heading; nothing if it is empty.
fn list(html: &mut String, heading: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        return;
    }
    let _ = writeln!(html, "<h2>{heading}</h2>\n<ul>");
    for item in items {
        let _ = writeln!(html, "<li>{item}</li>");
    }
    html.push_str("</ul>\n");
}

/// A text with what is in backticks as code.
fn with_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 0 { escaped(part) } else { format!("<code>{}</code>", escaped(part)) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_code_and_everything_is_escaped() {
        assert_eq!(with_code("run `a <b>` & see"), "run <code>a &lt;b&gt;</code> &amp; see");
    }
}
