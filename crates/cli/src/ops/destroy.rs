//! `twinsite destroy`: names everything, asks, and deletes what twinsite created.

use twinsite_core::Run;

use super::Outcome;
use crate::args::{Destroy, Global};
use crate::error::Failure;
use crate::render::Screen;
use crate::stack::Stack;

const WHAT: &str = "destroy the site";

pub(crate) async fn destroy(
    global: &Global,
    options: &Destroy,
    run: &Run,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let stack = Stack::open(global, run).await?;
    let plan = if options.former { stack.destruction_of_former().await? } else { stack.destruction().await? };
    screen.plan(&plan);
    if plan.is_empty() {
        return Ok(Outcome::Destroyed { done: 0 });
    }
    let domain = stack.site.domain.as_str();
    if !global.yes && !screen.confirm(&format!("This cannot be undone. Type {domain} to go on: "), domain) {
        return Ok(Outcome::Declined);
    }
    let applied = Box::pin(twinsite_core::apply(plan, &stack.services, run)).await;
    let done = applied.map_err(|halted| Failure::halted(WHAT, &halted, run.is_cancelled()))?.done.len();
    stack.keep()?;
    Ok(Outcome::Destroyed { done })
}
