//! `twinsite destroy`: names everything, asks, and deletes what twinsite created.

use twinsite_core::{Plan, Run};
use twinsite_s3_site::{Adopt, destroy_steps};

use super::Outcome;
use crate::args::Global;
use crate::error::Failure;
use crate::render::Screen;
use crate::stack::Stack;

const WHAT: &str = "destroy the site";

pub(crate) async fn destroy(global: &Global, run: &Run, screen: &Screen) -> Result<Outcome, Failure> {
    let stack = Stack::open(global).await?;
    let want = stack.desired(Adopt::Refuse);
    let aws = |error: twinsite_aws::AwsError| Failure::aws(WHAT, &error);
    let have = Box::pin(stack.s3.observe(&want)).await.map_err(aws)?;
    let contents = Box::pin(stack.s3.contents(&want, &have)).await.map_err(aws)?;
    let plan = Plan::new(destroy_steps(&want, &have, contents)).map_err(|error| Failure::new(WHAT, error))?;
    screen.plan(&plan);
    if plan.is_empty() {
        return Ok(Outcome::Destroyed { done: 0 });
    }
    let domain = stack.site.domain.as_str();
    if !global.yes && !screen.confirm(&format!("This cannot be undone. Type {domain} to go on: "), domain) {
        return Ok(Outcome::Declined);
    }
    let applied = Box::pin(twinsite_core::apply(plan, &stack.s3, run)).await;
    let done = applied.map_err(|halted| Failure::halted(WHAT, &halted))?.done.len();
    if let Some(cloud) = &stack.cloud {
        cloud.world().flush().map_err(|fault| Failure::new("keep the embedded cloud's state", fault))?;
    }
    Ok(Outcome::Destroyed { done })
}
