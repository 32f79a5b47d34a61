//! A plan: steps in an order that is proven before anything runs.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::{Action, Field, HandleKind, Need, PlanError, Reason, StepId};

/// The change a step carries out, as data. Each crate has its own type.
pub trait Change {
    /// The settings it makes or changes: what `plan` prints and the fingerprint covers.
    fn fields(&self) -> Vec<Field>;

    /// The values it needs from other steps.
    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    /// The kinds of value it makes for other steps.
    fn makes(&self) -> Vec<HandleKind> {
        Vec::new()
    }

    /// For steps that take minutes: how long that usually is, in words (`2 to 5 minutes`).
    fn usually(&self) -> Option<&'static str> {
        None
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<C> {
    /// Its name, unique in the plan.
    pub id: StepId,
    /// What it does.
    pub action: Action,
    /// Why it is planned.
    pub reason: Reason,
    /// Steps that must be in the plan and done before this one.
    pub after: Vec<StepId>,
    /// Steps that must be done before this one *if* they are in the plan.
    pub follows: Vec<StepId>,
    /// The change itself.
    pub change: C,
}

impl<C> Step<C> {
    /// A step that waits for none.
    pub fn new(id: impl Into<StepId>, action: Action, reason: Reason, change: C) -> Self {
        Self { id: id.into(), action, reason, after: Vec::new(), follows: Vec::new(), change }
    }

    /// Adds a step that must be in the plan and done before.
    #[must_use]
    pub fn after(mut self, id: impl Into<StepId>) -> Self {
        self.after.push(id.into());
        self
    }

    /// Adds a step to be done before, should the plan have it.
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

/// Steps in waves: all steps of a wave may run at once, and each wave waits for the one before.
///
/// A plan can only be made by [`Plan::new`], which proves it, and is consumed by [`apply()`](crate::apply()):
/// the thing that was shown is the thing that runs, once.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan<C> {
    waves: Vec<Vec<Step<C>>>,
}

impl<C: Change> Plan<C> {
    /// Orders the steps and proves that every one of them can run.
    ///
    /// # Errors
    /// [`PlanError`] when an id is used twice, a step waits for or needs something the plan does not have,
    /// or steps wait for one another in a circle.
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
        let mut hash = Sha256::new();
        let mut line = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        for (number, wave) in self.waves.iter().enumerate() {
            line(&number.to_string());
            for step in wave {
                line(step.id.as_str());
                line(step.action.as_str());
                for Field { name, have, want } in step.change.fields() {
                    line(&name);
                    line(&format!("{have:?}"));
                    line(&format!("{want:?}"));
                }
            }
        }
        hex::encode(&hash.finalize()[..8])
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

/// For each step, the steps that come before it; refuses what is unknown, unmet or doubled.
fn edges<C: Change>(steps: &[Step<C>]) -> Result<Edges, PlanError> {
    let mut makes: BTreeMap<&StepId, Vec<HandleKind>> = BTreeMap::new();
    for step in steps {
        if makes.insert(&step.id, step.change.makes()).is_some() {
            return Err(PlanError::Duplicate(step.id.clone()));
        }
    }
    let mut before = Edges::new();
    for step in steps {
        let mut mine: BTreeSet<StepId> = step.follows.iter().filter(|id| makes.contains_key(id)).cloned().collect();
        for id in &step.after {
            known(&makes, step, id)?;
            mine.insert(id.clone());
        }
        for Need { from, kind } in step.change.needs() {
            if !known(&makes, step, &from)?.contains(&kind) {
                return Err(PlanError::UnmetNeed { step: step.id.clone(), from, kind });
            }
            mine.insert(from);
        }
        before.insert(step.id.clone(), mine);
    }
    Ok(before)
}

fn known<'a, C>(
    makes: &'a BTreeMap<&StepId, Vec<HandleKind>>,
    step: &Step<C>,
    id: &StepId,
) -> Result<&'a [HandleKind], PlanError> {
    let unknown = || PlanError::UnknownStep { step: step.id.clone(), missing: id.clone() };
    makes.get(id).map(Vec::as_slice).ok_or_else(unknown)
}

/// Takes away, wave by wave, the steps that wait for nothing that is left.
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
    struct Set(&'static str, Vec<Need>, Vec<HandleKind>);

    impl Change for Set {
        fn fields(&self) -> Vec<Field> {
            vec![Field::set("value", self.0)]
        }
        fn needs(&self) -> Vec<Need> {
            self.1.clone()
        }
        fn makes(&self) -> Vec<HandleKind> {
            self.2.clone()
        }
    }

    fn step(id: &str) -> Step<Set> {
        Step::new(id, Action::Create, Reason::Absent, Set("v", vec![], vec![]))
    }

    fn needing(id: &str, from: &str, kind: HandleKind) -> Step<Set> {
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
        maker.change.2 = vec![HandleKind::Host];
        let met = vec![maker.clone(), needing("user", "maker", HandleKind::Host)];
        assert_eq!(Plan::new(met).unwrap().waves().len(), 2);
        let unmet = vec![maker, needing("user", "maker", HandleKind::Arn)];
        let error = Plan::new(unmet).unwrap_err();
        assert_eq!(error.to_string(), "step `user` needs the ARN of `maker`, which does not make one");
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
