//! Our time as a share of the best rival's, as bars.

use std::fmt::Write;

use super::table::{Row, ratio};
use super::tools::{ENGINE, TWINSITE};

const LEFT: f64 = 330.0;
const WIDE: f64 = 360.0;
const STEP: usize = 26;

/// An SVG picture: a bar for each work, and a line where the best rival is.
pub(super) fn draw(rows: &[Row<'_>]) -> String {
    let mut works: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        if works.last() != Some(&(row.series, row.work)) {
            works.push((row.series, row.work));
        }
    }
    let bars: Vec<_> = works
        .into_iter()
        .flat_map(|work| [(work, TWINSITE), (work, ENGINE)])
        .filter_map(|((series, work), who)| {
            ratio(rows, series, work, who).map(|(share, best)| (series, work, who, share, best))
        })
        .collect();
    let (width, height) = (LEFT + 520.0, bars.len() * STEP + 60);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\" role=\"img\" aria-label=\"twinsite's time as a share of the best rival's\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"22\" font-weight=\"bold\">twinsite's time as a share of the best rival's (less is faster)</text>\n"
    );
    for (n, (series, work, who, share, best)) in bars.iter().enumerate() {
        let y = 40 + n * STEP;
        let long = (share.min(1.4) * WIDE).round();
        let colour = if *share > 1.0 {
            "#b5541c"
        } else if *who == TWINSITE {
            "#1f7a4d"
        } else {
            "#7fb89b"
        };
        let what = if *who == TWINSITE { format!("{series}: {work}") } else { "engine alone".to_owned() };
        let _ = writeln!(
            svg,
            "<text x=\"12\" y=\"{}\">{what}</text><rect x=\"{LEFT}\" y=\"{y}\" width=\"{long}\" height=\"20\" \
             fill=\"{colour}\"/><text x=\"{}\" y=\"{}\">{share:.2} of {best}</text>",
            y + 15,
            LEFT + long + 6.0,
            y + 15,
        );
    }
    let (x, bottom) = (LEFT + WIDE, height - 14);
    let _ = write!(
        svg,
        "<line x1=\"{x}\" y1=\"34\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#444\" stroke-dasharray=\"4 3\"/>\n</svg>\n"
    );
    svg
}
