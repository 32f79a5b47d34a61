//! `cargo xtask report`: a drill on the embedded cloud, and its report in a real browser.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::embedded::Home;
use crate::process::{command, root, succeed, works};
use crate::urls;

/// Widths of a telephone and of a desk, in pixels.
const WIDTHS: [u32; 2] = [400, 1400];

/// What is asked of the page: written into it where no script of its own is.
const QUESTIONS: &str = "<script>
const root = document.documentElement, bars = [...document.querySelectorAll('#chart .bar i')];
const words = [...document.querySelectorAll('h1, h2, p, dt, dd, td, th, #chart span')];
root.dataset.overflows = root.scrollWidth > root.clientWidth;
root.dataset.bars = bars.filter(bar => bar.getBoundingClientRect().width > 0).length;
root.dataset.smallest = Math.min(...words.map(word => parseFloat(getComputedStyle(word).fontSize)));
root.dataset.done = true;
</script>";

/// Runs a drill in real time: minutes, and the same seconds as in fast time.
pub(crate) fn in_real_time() -> Result<()> {
    let home = Home::fresh("report", "debug")?;
    let public = root().join("examples/public");
    succeed(home.twinsite().args(["deploy", "--apply", "--local", "--quiet"]).arg(public))?;
    succeed(home.twinsite().args(["drill", "--local", "--speed", "1"]))
}

/// Runs a drill and looks at its report, and at the URLs of odd names.
pub(crate) fn run() -> Result<()> {
    urls::by_python()?;
    let home = Home::fresh("report", "debug")?;
    let public = root().join("examples/public");
    succeed(home.twinsite().args(["deploy", "--apply", "--local", "--quiet"]).arg(public))?;
    let page = home.path().join("report.html");
    succeed(home.twinsite().args(["drill", "--local", "--speed", "40", "--html"]).arg(&page))?;
    if !have_chromium() {
        eprintln!("report: not looked at in a browser: there is no chromium here, and apt-get cannot fetch it");
        return Ok(());
    }
    urls::by_browser(home.path())?;
    WIDTHS.into_iter().try_for_each(|width| looked_at(&page, width))
}

fn have_chromium() -> bool {
    let there = || works(command("chromium").arg("--version"));
    let fetch = |args: &[&str]| command("apt-get").args(args).status().is_ok_and(|status| status.success());
    there() || {
        // The package lists of a new machine are empty.
        let install = ["-qq", "install", "--yes", "--no-install-recommends", "chromium"];
        (fetch(&install) || (fetch(&["-qq", "update"]) && fetch(&install))) && there()
    }
}

fn looked_at(page: &Path, width: u32) -> Result<()> {
    let asked = page.with_extension(format!("{width}.html"));
    let text = fs::read_to_string(page)?;
    ensure!(!text.contains("<script"), "the report has a script of its own");
    fs::write(&asked, text.replace("</body>", &format!("{QUESTIONS}</body>")))?;
    let mut chromium = command("chromium");
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]);
    let output =
        chromium.arg(format!("--window-size={width},1200")).arg(format!("file://{}", asked.display())).output()?;
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let says = |name: &str| -> Option<String> {
        let start = dom.find(&format!("data-{name}=\""))? + name.len() + 7;
        Some(dom[start..].split('"').next()?.to_owned())
    };
    ensure!(says("done").is_some(), "{width} px: the page did not open: {log}");
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    ensure!(complaints.is_empty(), "{width} px: {complaints:?}");
    ensure!(says("overflows").as_deref() == Some("false"), "{width} px: the page is wider than the window");
    let number = |name: &str| says(name).and_then(|text| text.parse::<f64>().ok()).context("the page did not answer");
    let (bars, smallest) = (number("bars")?, number("smallest")?);
    ensure!(bars >= 6.0, "{width} px: the chart has {bars} visible stretches");
    ensure!(smallest >= 11.0, "{width} px: letters of {smallest} px");
    eprintln!(
        "report: {width} px: chart of {bars} stretches, letters of {smallest} px and more, nothing on the console"
    );
    Ok(())
}
