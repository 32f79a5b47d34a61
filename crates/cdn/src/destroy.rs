//! Taking the front door away again: what twinsite made, and nothing else.

use twinsite_core::Step;

use crate::change::Change;
use crate::want::Desired;
use crate::{Observed, certificate, distribution};

/// The steps that take the front door away. `after` are the steps after which nothing leads there any more.
pub fn destroy_steps(want: &Desired, have: &Observed, after: &[&str]) -> Vec<Step<Change>> {
    let arn = have.front.distribution.as_ref().map(|distribution| distribution.arn.as_str());
    let mut steps = distribution::destroy(want, &have.front, after);
    steps.extend(certificate::destroy(want, &have.certificates, arn));
    steps
}
