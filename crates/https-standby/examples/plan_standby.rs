//! Prints the steps that would create the standby of a new site. Calls no AWS service.

use twinsite_core::{Change, Mode, Pair, Plan, Site};
use twinsite_https_standby::{Actual, Desired, plan_changes};

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() -> anyhow::Result<()> {
    let regions = Pair::new("us-east-1".parse()?, "us-west-2".parse()?);
    let site = Site::new("www.example.com".parse()?, Mode::Layered, "111122223333".parse()?, regions)?;
    let planned = plan_changes(&Desired::new(site), &Actual::default())?;
    for step in Plan::new(planned.steps)?.steps() {
        println!("{} {}: {}", step.action.symbol(), step.id, step.reason);
        for field in step.change.fields() {
            println!("    {field}");
        }
    }
    Ok(())
}
