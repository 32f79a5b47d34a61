//! Executes a plan wave by wave.

use std::fmt;
use std::future::Future;

use futures::{StreamExt, stream};
use tokio::time::Instant;

use crate::{Change, Event, Output, Outputs, Plan, Run, Step, StepId};

/// Concurrency limit for the steps of one wave.
const WIDTH: usize = 8;

/// Executes changes of type `C`.
///
/// An implementation depends on the change and on the outputs of earlier steps only, not on options or configuration:
/// every decision was taken when the plan was made.
pub trait Apply<C>: Sync {
    /// Why a change failed.
    type Error: fmt::Display + Send;

    /// Executes one change and returns its outputs. Waits report to `run` and end when it is cancelled.
    ///
    /// Must be idempotent: the response to an earlier call may have been lost.
    fn apply(
        &self,
        change: &C,
        outputs: &Outputs,
        run: &Run,
    ) -> impl Future<Output = Result<Vec<Output>, Self::Error>> + Send;
}

/// The result of a plan whose steps have all run.
#[derive(Debug, Default)]
pub struct Applied {
    /// The steps, in the order they ran.
    pub done: Vec<StepId>,
    /// Their outputs.
    pub outputs: Outputs,
}

/// A plan that failed or was cancelled before its end. Planning and applying again finishes it.
#[derive(Debug)]
pub struct Halted<E> {
    /// The steps that are done.
    pub done: Vec<StepId>,
    /// The steps that failed; empty when the run was cancelled.
    pub failed: Vec<(StepId, E)>,
    /// The steps that were not started.
    pub not_started: Vec<StepId>,
}

impl<E: fmt::Display> fmt::Display for Halted<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.failed.is_empty() {
            f.write_str("stopped on request")?;
        }
        for (index, (step, error)) in self.failed.iter().enumerate() {
            let comma = if index == 0 { "" } else { "; " };
            write!(f, "{comma}`{step}` failed: {error}")?;
        }
        write!(f, " ({} done, {} not started)", self.done.len(), self.not_started.len())
    }
}

impl<E: fmt::Display + fmt::Debug> std::error::Error for Halted<E> {}

/// Executes a plan. The steps of a wave run concurrently. After a failure or a cancellation, calls in flight are awaited and
/// no further steps are started.
pub async fn apply<C, A>(plan: Plan<C>, target: &A, run: &Run) -> Result<Applied, Halted<A::Error>>
where
    C: Change + Send + Sync,
    A: Apply<C>,
{
    let mut applied = Applied::default();
    let mut failed = Vec::new();
    let mut not_started = Vec::new();
    for wave in plan.into_waves() {
        if !failed.is_empty() || run.is_cancelled() {
            not_started.extend(wave.into_iter().map(|step| step.id));
            continue;
        }
        for (id, outcome) in run_wave(wave, target, &applied.outputs, run).await {
            match outcome {
                Outcome::Done(outputs) => {
                    applied.outputs.record(id.clone(), outputs);
                    applied.done.push(id);
                }
                Outcome::Failed(error) => failed.push((id, error)),
                Outcome::NotStarted => not_started.push(id),
            }
        }
    }
    if failed.is_empty() && not_started.is_empty() {
        Ok(applied)
    } else {
        Err(Halted { done: applied.done, failed, not_started })
    }
}

enum Outcome<E> {
    Done(Vec<Output>),
    Failed(E),
    NotStarted,
}

async fn run_wave<C, A>(
    wave: Vec<Step<C>>,
    target: &A,
    outputs: &Outputs,
    run: &Run,
) -> Vec<(StepId, Outcome<A::Error>)>
where
    C: Send + Sync,
    A: Apply<C>,
{
    let steps = wave.into_iter().map(|step| async move {
        let outcome = run_step(&step, target, outputs, run).await;
        (step.id, outcome)
    });
    stream::iter(steps).buffered(WIDTH).collect().await
}

async fn run_step<C, A: Apply<C>>(step: &Step<C>, target: &A, outputs: &Outputs, run: &Run) -> Outcome<A::Error> {
    if run.is_cancelled() {
        return Outcome::NotStarted;
    }
    let started = Instant::now();
    let (id, action) = (step.id.clone(), step.action);
    run.emit(&Event::StepStarted { step: id.clone(), action });
    match Box::pin(target.apply(&step.change, outputs, run)).await {
        Ok(outputs) => {
            run.emit(&Event::StepDone { step: id, action, took: started.elapsed() });
            Outcome::Done(outputs)
        }
        Err(error) => {
            run.emit(&Event::StepFailed { step: id, error: error.to_string() });
            Outcome::Failed(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::{Action, Field, PlanError, Reason};

    /// Resources by number, each of which may depend on others.
    #[derive(Debug, Default)]
    struct World {
        there: Mutex<BTreeSet<usize>>,
        fail_at: Option<usize>,
        calls: Mutex<usize>,
    }

    #[derive(Debug)]
    struct Make(usize, Vec<usize>);

    impl Change for Make {
        fn fields(&self) -> Vec<Field> {
            vec![Field::set("thing", self.0.to_string())]
        }
    }

    impl Apply<Make> for World {
        type Error = String;

        async fn apply(&self, Make(id, needs): &Make, _: &Outputs, _: &Run) -> Result<Vec<Output>, String> {
            let call = {
                let mut calls = self.calls.lock().unwrap();
                *calls += 1;
                *calls
            };
            if Some(call) == self.fail_at {
                return Err("killed".into());
            }
            let mut there = self.there.lock().unwrap();
            assert!(needs.iter().all(|need| there.contains(need)), "{id} ran before {needs:?}");
            assert!(there.insert(*id), "{id} was made twice");
            Ok(vec![Output::Id(id.to_string().parse().unwrap())])
        }
    }

    fn plan(world: &World, graph: &[Vec<usize>]) -> Result<Plan<Make>, PlanError> {
        let there = world.there.lock().unwrap();
        let absent = (0..graph.len()).filter(|id| !there.contains(id));
        let name = |id: usize| StepId::new(format!("s{id:03}"));
        let steps = absent.map(|id| {
            let step = Step::new(name(id), Action::Create, Reason::Absent, Make(id, graph[id].clone()));
            graph[id].iter().fold(step, |step, need| step.follows(name(*need)))
        });
        Plan::new(steps.collect())
    }

    fn graph() -> impl Strategy<Value = Vec<Vec<usize>>> {
        (1usize..14).prop_flat_map(|size| {
            let needs = (0..size).map(|id| prop::collection::vec(0..id.max(1), 0..3.min(id + 1)));
            needs.collect::<Vec<_>>().prop_map(|mut graph| {
                graph[0].clear();
                graph
            })
        })
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    proptest! {
        /// Killed after any call, a rerun finishes what is left and makes nothing twice.
        #[test]
        fn a_rerun_converges_after_every_kill(graph in graph()) {
            for fail_at in 1..=graph.len() {
                let mut world = World { fail_at: Some(fail_at), ..World::default() };
                let first = block_on(apply(plan(&world, &graph).unwrap(), &world, &Run::silent()));
                let halted = first.unwrap_err();
                prop_assert_eq!(halted.failed.len(), 1);
                prop_assert_eq!(halted.done.len() + 1 + halted.not_started.len(), graph.len());
                world.fail_at = None;
                block_on(apply(plan(&world, &graph).unwrap(), &world, &Run::silent())).unwrap();
                prop_assert_eq!(world.there.lock().unwrap().len(), graph.len());
                prop_assert!(plan(&world, &graph).unwrap().is_empty());
            }
        }
    }

    #[tokio::test]
    async fn a_cancelled_run_starts_nothing_and_says_what_is_left() {
        let world = World::default();
        let run = Run::silent();
        run.cancel.cancel();
        let halted = apply(plan(&world, &[vec![], vec![0]]).unwrap(), &world, &run).await.unwrap_err();
        assert_eq!(halted.to_string(), "stopped on request (0 done, 2 not started)");
        assert!(world.there.lock().unwrap().is_empty());
    }
}
