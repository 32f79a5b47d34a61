//! From the record sets that are there to those that should be: pure.

use twinsite_core::{Action, Deferred, Field, Reason, ResourceId, Step, ValidationRecord};

use super::wanted::wanted;
use super::{Failover, PROOF, Routing, STEP, Set, Wanted, Zone};
use crate::change::{Change, Goner};
use crate::health::Role;
use crate::problem::Problem;
use crate::want::Desired;

/// The types that say where a name leads.
const LEADING: [&str; 3] = ["A", "AAAA", "CNAME"];

/// The steps that bring the records into the wanted state.
pub(crate) fn steps(
    want: &Desired,
    zone: &Zone,
    id: impl Fn(Role) -> Option<Deferred<ResourceId>>,
) -> Result<Vec<Step<Change>>, Problem> {
    let mut steps: Vec<Step<Change>> = proof(want, zone).into_iter().collect();
    let apex = want.site.domain.as_str() == zone.name;
    let wanted = wanted(want, apex, id).map_err(Problem::UnknownZone)?;
    conflicts(want, zone, &wanted)?;
    let right = |set: &Set| wanted.iter().any(|wanted| is(set, wanted) && set.words == wanted.to_string());
    let leading = zone.sets.iter().filter(|set| LEADING.contains(&set.r#type.as_str()));
    let old: Vec<&Set> = leading.filter(|set| !right(set)).collect();
    let missing = |wanted: &&Wanted| !zone.sets.iter().any(|set| is(set, wanted) && right(set));
    let new: Vec<Wanted> = wanted.iter().filter(missing).cloned().collect();
    if old.is_empty() && new.is_empty() {
        return Ok(steps);
    }
    let mut fields: Vec<Field> = Vec::new();
    for wanted in &new {
        let have = old.iter().find(|set| is(set, wanted)).map(|set| set.words.clone());
        fields.push(Field { name: label(wanted), actual: have, desired: Some(wanted.to_string()) });
    }
    let replaced = |set: &&&Set| new.iter().any(|wanted| is(set, wanted));
    let gone: Vec<&Set> = old.iter().filter(|set| !replaced(set)).copied().collect();
    fields.extend(gone.iter().map(|set| Field::unset(name_of(set), set.words.clone())));
    // What another type or routing takes the place of is deleted in the same batch that creates its successors.
    let goners = gone.iter().map(|set| Goner { r#type: set.r#type.clone(), identifier: set.identifier.clone() });
    let (action, reason) = if zone.sets.iter().any(|set| LEADING.contains(&set.r#type.as_str())) {
        (Action::Update, Reason::Drifted)
    } else {
        (Action::Create, Reason::Absent)
    };
    let (zone_id, name) = (zone.id.clone(), want.site.domain.to_string());
    let change = Change::Records { zone: zone_id, name, gone: goners.collect(), new, fields };
    // Visitors are led to the front door only once every edge knows it.
    steps.push(Step::new(STEP, action, reason, change).follows("cdn/deployed"));
    Ok(steps)
}

fn proof(want: &Desired, zone: &Zone) -> Option<Step<Change>> {
    let proof = want.proof.as_ref()?;
    let have = match proof {
        Deferred::Known(ValidationRecord { name, .. }) => zone.proofs.get(&canonical(name)).cloned(),
        Deferred::After(_) => None,
    };
    let right = match proof {
        Deferred::Known(ValidationRecord { value, .. }) => {
            have.as_ref().is_some_and(|have| canonical(have) == canonical(value))
        }
        Deferred::After(_) => false,
    };
    let (action, reason) =
        if have.is_some() { (Action::Update, Reason::Drifted) } else { (Action::Create, Reason::Absent) };
    let change = || Change::Proof { zone: zone.id.clone(), proof: proof.clone(), have: have.clone() };
    (!right).then(|| Step::new(PROOF, action, reason, change()))
}

/// A name in one form: lower case, no dot at the end.
pub(super) fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// True when a set that is there is the one that a wanted one would replace.
fn is(set: &Set, wanted: &Wanted) -> bool {
    set.r#type == wanted.r#type && set.identifier.as_deref() == wanted.answer.failover.map(Failover::identifier)
}

fn label(wanted: &Wanted) -> String {
    match wanted.answer.failover {
        Some(failover) => format!("{} {}", wanted.r#type, failover.identifier()),
        None => wanted.r#type.to_owned(),
    }
}

fn name_of(set: &Set) -> String {
    set.identifier.as_ref().map_or_else(|| set.r#type.clone(), |identifier| format!("{} {identifier}", set.r#type))
}

/// What cannot stand beside the wanted sets, and is not ours to take away.
fn conflicts(want: &Desired, zone: &Zone, wanted: &[Wanted]) -> Result<(), Problem> {
    let domain = want.site.domain.clone();
    let ours = |set: &Set| {
        [Failover::Primary, Failover::Secondary].iter().any(|of| set.identifier.as_deref() == Some(of.identifier()))
    };
    let foreign = |set: &&Set| LEADING.contains(&set.r#type.as_str()) && set.routing != Routing::Simple && !ours(set);
    if let Some(set) = zone.sets.iter().find(foreign) {
        return Err(Problem::OtherRouting { domain, set: format!("{}: {}", name_of(set), set.words) });
    }
    let cname = wanted.iter().any(|wanted| wanted.r#type == "CNAME");
    let beside = zone.sets.iter().find(|set| cname && !LEADING.contains(&set.r#type.as_str()));
    match beside {
        Some(set) => Err(Problem::BesideCname { domain, r#type: set.r#type.clone() }),
        None => Ok(()),
    }
}

/// The steps that take our records away. The one that proves the name stays when another certificate needs it.
pub(crate) fn destroy(want: &Desired, zone: &Zone, keep_proof: bool) -> Vec<Step<Change>> {
    let reason = || Reason::Asked("destroy".to_owned());
    let mut steps = Vec::new();
    // A set that is alone has no mark of ours; it is ours when it leads to our distribution.
    let front = match &want.host {
        Deferred::Known(host) => Some(host.to_string()),
        Deferred::After(_) => None,
    };
    let ours = |set: &&Set| match &set.identifier {
        Some(identifier) => [Failover::Primary, Failover::Secondary].iter().any(|of| of.identifier() == identifier),
        None => front.as_ref().is_some_and(|host| set.words.starts_with(&format!("alias {host} in "))),
    };
    let sets: Vec<&Set> = zone.sets.iter().filter(ours).collect();
    if !sets.is_empty() {
        let goner = |set: &&Set| Goner { r#type: set.r#type.clone(), identifier: set.identifier.clone() };
        let change = Change::Records {
            zone: zone.id.clone(),
            name: want.site.domain.to_string(),
            gone: sets.iter().map(goner).collect(),
            new: Vec::new(),
            fields: sets.iter().map(|set| Field::unset(name_of(set), set.words.clone())).collect(),
        };
        steps.push(Step::new(STEP, Action::Delete, reason(), change));
    }
    if let (Some(Deferred::Known(proof)), false) = (&want.proof, keep_proof)
        && zone.proofs.get(&canonical(&proof.name)).is_some_and(|value| canonical(value) == canonical(&proof.value))
    {
        let change = Change::DropProof { zone: zone.id.clone(), proof: proof.clone() };
        // CloudFront may look at it as long as the certificate is in use.
        steps.push(Step::new(PROOF, Action::Delete, reason(), change).follows("certificate/0"));
    }
    steps
}
