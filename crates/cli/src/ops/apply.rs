//! `twinsite apply`: carries out the plan that was shown.

use std::io::{IsTerminal, stdin};

use twinsite_core::Run;
use twinsite_s3_site::Adopt;
use twinsite_sync::mirror::Filled;

use super::plan::adopt;
use super::{Outcome, backfill};
use crate::args::{Apply, Global};
use crate::error::Failure;
use crate::render::Screen;
use crate::stack::{SiteChange, Stack};

const WHAT: &str = "apply the plan";

pub(crate) async fn apply(global: &Global, options: &Apply, run: &Run, screen: &Screen) -> Result<Outcome, Failure> {
    let stack = Stack::open(global, run).await?;
    let plan = stack.plan(adopt(options.adopt)).await?;
    let fingerprint = plan.fingerprint();
    if let Some(expected) = options.expect.as_ref().filter(|expected| **expected != fingerprint) {
        let why = format!("the plan is {fingerprint} now, not {expected}; nothing was changed");
        return Err(Failure::new(WHAT, why).hint("look at it with `twinsite plan` and approve that"));
    }
    screen.plan(&plan);
    let ask = !plan.is_empty() && !global.yes && !global.local && options.expect.is_none() && stdin().is_terminal();
    if ask && !screen.confirm("Apply this plan? Type yes: ", "yes") {
        return Ok(Outcome::Declined);
    }
    let (done, filled) = carry_out(plan, &stack, run).await?;
    stack.keep()?;
    Ok(Outcome::Applied { done, filled })
}

/// Plans and applies without showing or asking: the first half of `deploy --apply`.
pub(super) async fn ensure(stack: &Stack, run: &Run) -> Result<usize, Failure> {
    let plan = stack.plan(Adopt::Refuse).await?;
    carry_out(plan, stack, run).await.map(|(done, _)| done)
}

async fn carry_out(
    plan: twinsite_core::Plan<SiteChange>,
    stack: &Stack,
    run: &Run,
) -> Result<(usize, Option<Filled>), Failure> {
    let rule = plan.steps().any(|step| step.id.as_str() == "primary/replication");
    let applied = Box::pin(twinsite_core::apply(plan, &stack.services, run)).await;
    let done = applied.map_err(|halted| Failure::halted(WHAT, &halted, run.is_cancelled()))?.done.len();
    let filled = if rule { Box::pin(backfill::after_apply(stack, run)).await? } else { None };
    Ok((done, filled))
}
