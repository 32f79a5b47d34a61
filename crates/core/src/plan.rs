//! A plan: steps in an order that is verified before anything runs.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::{Action, Field, Need, OutputKind, Reason, Resource, StepId};

/// Why a list of steps is not a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Two steps share one id.
    #[error("step `{0}` is planned twice")]
    Duplicate(StepId),
    /// A step depends on one that is not in the plan.
    #[error("step `{step}` depends on `{missing}`, which is not in the plan")]
    UnknownStep {
        /// The dependent step.
        step: StepId,
        /// The id that no step has.
        missing: StepId,
    },
    /// A step needs an output that the named step does not produce.
    #[error("step `{step}` needs {kind} of `{from}`, which does not produce it")]
    UnmetNeed {
        /// The dependent step.
        step: StepId,
        /// The step expected to produce the output.
        from: StepId,
        /// The kind of output.
        kind: OutputKind,
    },
    /// Steps depend on one another in a cycle.
    #[error("dependency cycle between the steps {}", list(.0))]
    Cycle(Vec<StepId>),
}

fn list(ids: &[StepId]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

/// The change made by a step, as data. Each crate has its own type.
pub trait Change {
    /// The settings that it sets, changes or removes, and no others: what `plan` prints and the fingerprint covers.
    fn fields(&self) -> Vec<Field>;

    /// What it is a change of; plans are grouped by it, and the fingerprint covers it.
    fn resource(&self) -> Option<Resource> {
        None
    }

    /// The outputs of other steps that it needs.
    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    /// The kinds of output that it produces for other steps.
    fn outputs(&self) -> Vec<OutputKind> {
        Vec::new()
    }

    /// The usual duration of a step that takes minutes, in words (`2 to 5 minutes`).
    fn usually(&self) -> Option<&'static str> {
        None
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<C> {
    /// The step's name, unique in the plan.
    pub id: StepId,
    /// What it does.
    pub action: Action,
    /// Why it is planned.
    pub reason: Reason,
    /// Steps that must be in the plan and run before this one.
    pub after: Vec<StepId>,
    /// Steps that must run before this one *if* they are in the plan.
    pub follows: Vec<StepId>,
    /// The change itself.
    pub change: C,
}

impl<C> Step<C> {
    /// A step without dependencies.
    pub fn new(id: impl Into<StepId>, action: Action, reason: Reason, change: C) -> Self {
        Self { id: id.into(), action, reason, after: Vec::new(), follows: Vec::new(), change }
    }

    /// Adds a dependency that must be in the plan.
    #[must_use]
    pub fn after(mut self, id: impl Into<StepId>) -> Self {
        self.after.push(id.into());
        self
    }

    /// Adds a dependency that applies only if it is in the plan.
    #[must_use]
    pub fn follows(mut self, id: impl Into<StepId>) -> Self {
        self.follows.push(id.into());
        self
    }

    /// The same step with its change wrapped in another type, for composing the plans of several crates.
    pub fn map<D>(self, wrap: impl FnOnce(C) -> D) -> Step<D> {
        let Self { id, action, reason, after, follows, change } = self;
        Step { id, action, reason, after, follows, change: wrap(change) }
    }
}

/// Steps in waves: the steps of a wave may run concurrently, and each wave starts after the one before it.
///
/// A plan can only be made by [`Plan::new`], which verifies it, and is consumed by [`apply()`](crate::apply()):
/// what was shown is what runs, once.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan<C> {
    waves: Vec<Vec<Step<C>>>,
}

impl<C: Change> Plan<C> {
    /// Orders the steps and verifies that each one can run.
    ///
    /// # Errors
    /// [`PlanError`] if an id is used twice, a dependency or an output is missing from the plan, or dependencies form a cycle.
    pub fn new(steps: Vec<Step<C>>) -> Result<Self, PlanError> {
        let before = edges(&steps)?;
        let order = waves(&before)?;
        let mut steps: BTreeMap<StepId, Step<C>> = steps.into_iter().map(|s| (s.id.clone(), s)).collect();
        let waves = order.into_iter().map(|wave| wave.iter().filter_map(|id| steps.remove(id)).collect()).collect();
        Ok(Self { waves })
    }

    /// A short digest of everything the plan will do. Equal fingerprints mean equal plans, so
    /// `apply --expect FINGERPRINT` runs what was reviewed or nothing.
    pub fn fingerprint(&self) -> String {
        hex::encode(&Sha256::digest(self.canonical_bytes())[..8])
    }

    /// The encoding under the fingerprint, version 1: a list of items, each preceded by its length as eight big-endian bytes.
    /// An absent value is the length 2^64-1 without bytes, so it differs from an empty one.
    fn canonical_bytes(&self) -> Vec<u8> {
        let mut bytes = b"twinsite-plan-1\n".to_vec();
        let mut item = |value: Option<&str>| {
            bytes.extend(value.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
            bytes.extend(value.unwrap_or_default().as_bytes());
        };
        for (number, wave) in self.waves.iter().enumerate() {
            item(Some(&number.to_string()));
            for step in wave {
                item(Some(step.id.as_str()));
                item(Some(step.action.as_str()));
                if let Some(Resource { service, kind, name }) = step.change.resource() {
                    item(Some(service));
                    item(Some(kind));
                    item(Some(&name));
                }
                for Field { name, actual, desired } in step.change.fields() {
                    item(Some(&name));
                    item(actual.as_deref());
                    item(desired.as_deref());
                }
            }
        }
        bytes
    }
}

impl<C> Plan<C> {
    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.waves.is_empty()
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.waves.iter().map(Vec::len).sum()
    }

    /// The steps in the order they run.
    pub fn steps(&self) -> impl Iterator<Item = &Step<C>> {
        self.waves.iter().flatten()
    }

    /// The steps wave by wave.
    pub fn waves(&self) -> &[Vec<Step<C>>] {
        &self.waves
    }

    pub(crate) fn into_waves(self) -> Vec<Vec<Step<C>>> {
        self.waves
    }
}

type Edges = BTreeMap<StepId, BTreeSet<StepId>>;

/// For each step, the steps that it depends on.
fn edges<C: Change>(steps: &[Step<C>]) -> Result<Edges, PlanError> {
    let mut outputs: BTreeMap<&StepId, Vec<OutputKind>> = BTreeMap::new();
    for step in steps {
        if outputs.insert(&step.id, step.change.outputs()).is_some() {
            return Err(PlanError::Duplicate(step.id.clone()));
        }
    }
    let mut before = Edges::new();
    for step in steps {
        let mut mine: BTreeSet<StepId> = step.follows.iter().filter(|id| outputs.contains_key(id)).cloned().collect();
        for id in &step.after {
            known(&outputs, step, id)?;
            mine.insert(id.clone());
        }
        for Need { from, kind } in step.change.needs() {
            if !known(&outputs, step, &from)?.contains(&kind) {
                return Err(PlanError::UnmetNeed { step: step.id.clone(), from, kind });
            }
            mine.insert(from);
        }
        before.insert(step.id.clone(), mine);
    }
    Ok(before)
}

fn known<'a, C>(
    outputs: &'a BTreeMap<&StepId, Vec<OutputKind>>,
    step: &Step<C>,
    id: &StepId,
) -> Result<&'a [OutputKind], PlanError> {
    let unknown = || PlanError::UnknownStep { step: step.id.clone(), missing: id.clone() };
    outputs.get(id).map(Vec::as_slice).ok_or_else(unknown)
}

/// Topological order in waves: each wave holds the steps whose dependencies all lie in earlier waves.
fn waves(before: &Edges) -> Result<Vec<Vec<StepId>>, PlanError> {
    let mut done: BTreeSet<&StepId> = BTreeSet::new();
    let mut waves = Vec::new();
    while done.len() < before.len() {
        let ready: Vec<&StepId> = before
            .iter()
            .filter(|(id, needs)| !done.contains(id) && needs.iter().all(|need| done.contains(need)))
            .map(|(id, _)| id)
            .collect();
        if ready.is_empty() {
            return Err(PlanError::Cycle(before.keys().filter(|id| !done.contains(id)).cloned().collect()));
        }
        done.extend(&ready);
        waves.push(ready.into_iter().cloned().collect());
    }
    Ok(waves)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Set(&'static str, Vec<Need>, Vec<OutputKind>);

    impl Change for Set {
        fn fields(&self) -> Vec<Field> {
            vec![Field::set("value", self.0)]
        }
        fn needs(&self) -> Vec<Need> {
            self.1.clone()
        }
        fn outputs(&self) -> Vec<OutputKind> {
            self.2.clone()
        }
    }

    fn step(id: &str) -> Step<Set> {
        Step::new(id, Action::Create, Reason::Absent, Set("v", vec![], vec![]))
    }

    fn needing(id: &str, from: &str, kind: OutputKind) -> Step<Set> {
        let need = Need { from: from.into(), kind };
        Step::new(id, Action::Create, Reason::Absent, Set("v", vec![need], vec![]))
    }

    #[test]
    fn steps_without_edges_share_a_wave_in_the_order_of_their_names() {
        let plan = Plan::new(vec![step("b"), step("a")]).unwrap();
        assert_eq!(plan.waves().len(), 1);
        assert_eq!(plan.steps().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_soft_edge_to_an_absent_step_is_no_edge() {
        assert_eq!(Plan::new(vec![step("a").follows("gone")]).unwrap().len(), 1);
        assert_eq!(
            Plan::new(vec![step("a").after("gone")]),
            Err(PlanError::UnknownStep { step: "a".into(), missing: "gone".into() }),
        );
    }

    #[test]
    fn a_need_must_be_met_by_what_the_step_makes() {
        let mut maker = step("maker");
        maker.change.2 = vec![OutputKind::Host];
        let met = vec![maker.clone(), needing("user", "maker", OutputKind::Host)];
        assert_eq!(Plan::new(met).unwrap().waves().len(), 2);
        let unmet = vec![maker, needing("user", "maker", OutputKind::Arn)];
        let error = Plan::new(unmet).unwrap_err();
        assert_eq!(error.to_string(), "step `user` needs the ARN of `maker`, which does not produce it");
    }

    #[test]
    fn twice_the_same_id_and_circles_are_refused() {
        assert_eq!(Plan::new(vec![step("a"), step("a")]), Err(PlanError::Duplicate("a".into())));
        let circle = vec![step("a").after("b"), step("b").after("a"), step("c")];
        assert_eq!(Plan::new(circle), Err(PlanError::Cycle(vec!["a".into(), "b".into()])));
    }

    #[test]
    fn the_fingerprint_sees_every_change_and_only_changes() {
        let print = |steps| Plan::new(steps).unwrap().fingerprint();
        let base = print(vec![step("a"), step("b")]);
        assert_eq!(base, print(vec![step("b"), step("a")]));
        assert_ne!(base, print(vec![step("a")]));
        assert_ne!(base, print(vec![step("a"), step("b").after("a")]));
        let mut other = step("b");
        other.change.0 = "w";
        assert_ne!(base, print(vec![step("a"), other]));
    }

    #[test]
    fn the_fingerprint_of_a_plan_is_the_same_in_every_version() {
        let plan = Plan::new(vec![step("a"), step("b").after("a")]).unwrap();
        assert_eq!(plan.fingerprint(), "c199cde1566b0cc4");
    }

    proptest! {
        /// Any acyclic graph is ordered so that every step comes in a later wave than all it waits for.
        #[test]
        fn acyclic_graphs_are_ordered(edges in prop::collection::vec((0usize..30, 0usize..30), 0..120)) {
            let mut steps: Vec<_> = (0..30).map(|n| step(&format!("s{n}"))).collect();
            for (a, b) in edges.iter().filter(|(a, b)| a != b) {
                let (early, late) = (a.min(b), a.max(b));
                steps[*late].after.push(format!("s{early}").into());
            }
            let wanted = steps.clone();
            let plan = Plan::new(steps).unwrap();
            prop_assert_eq!(plan.len(), 30);
            let wave = |id: &StepId| plan.waves().iter().position(|w| w.iter().any(|s| s.id == *id)).unwrap();
            for step in &wanted {
                for before in &step.after {
                    prop_assert!(wave(before) < wave(&step.id));
                }
            }
        }

        /// Any graph with a circle put into it is refused.
        #[test]
        fn circles_are_refused(len in 1usize..12, extra in prop::collection::vec((0usize..12, 0usize..12), 0..20)) {
            let mut steps: Vec<_> = (0..12).map(|n| step(&format!("s{n}"))).collect();
            for (a, b) in extra {
                steps[a].after.push(format!("s{b}").into());
            }
            for (n, step) in steps.iter_mut().enumerate().take(len) {
                step.after.push(format!("s{}", (n + 1) % len).into());
            }
            let refused = matches!(Plan::new(steps), Err(PlanError::Cycle(_)));
            prop_assert!(refused);
        }
    }
}
