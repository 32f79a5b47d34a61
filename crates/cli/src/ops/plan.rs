//! `twinsite plan`: looks, and changes nothing.

use twinsite_core::Run;
use twinsite_s3_site::Adopt;

use super::Outcome;
use crate::args::{Global, Plan};
use crate::error::Failure;
use crate::stack::Stack;

pub(crate) async fn plan(global: &Global, options: &Plan, run: &Run) -> Result<Outcome, Failure> {
    let stack = Stack::open(global, run).await?;
    let plan = stack.plan(adopt(options.adopt)).await?;
    let outlook = Box::new(stack.outlook());
    Ok(Outcome::Planned { plan, check: options.check, outlook })
}

pub(super) fn adopt(flag: bool) -> Adopt {
    if flag { Adopt::Adopt } else { Adopt::Refuse }
}
