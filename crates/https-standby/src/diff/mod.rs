//! From the actual to the desired state: pure.

mod certificate;

use twinsite_core::{Action, Deferred, Field, Reason, ResourceId, Side, Step, ValidationRecords};

use crate::model::{Actual, Api, Change, Conflict, Desired, DomainName, Endpoint, Settings};
use crate::step_ids;

/// The steps that create or update the standby, and the values that other services need.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Planned {
    /// The steps.
    pub steps: Vec<Step<Change>>,
    /// The validation record, which must exist in DNS as long as the certificate is to be issued or renewed; `None` for a certificate that
    /// the site does not own.
    pub validation_records: Option<Deferred<ValidationRecords>>,
    /// Where DNS records may lead: `None` until everything is as desired and available.
    pub endpoint: Option<Endpoint>,
}

/// The steps that bring the standby into the desired state. A caller that also manages DNS orders
/// [`CERTIFICATE_ISSUED`](step_ids::CERTIFICATE_ISSUED) after the step that writes the validation record.
///
/// # Errors
/// [`Conflict`] if the desired state cannot be reached. Nothing should be changed then.
pub fn plan_changes(desired: &Desired, actual: &Actual) -> Result<Planned, Conflict> {
    if !desired.site.mode.public_buckets() {
        return Err(Conflict::NoFailover);
    }
    let domain = &desired.site.domain;
    if actual.domain_name.as_ref().is_some_and(|found| !is_of_site(desired, actual, found)) {
        let region = desired.site.regions.get(Side::Backup).clone();
        return Err(Conflict::DomainNameTaken { domain: domain.clone(), region });
    }
    let chosen = certificate::choose_certificate(desired, actual);
    let mut steps = chosen.steps;
    let (api, api_steps) = plan_api(desired, actual);
    steps.extend(api_steps);
    let owner = desired.owner();
    match &actual.domain_name {
        None => {
            let (domain, certificate) = (domain.clone(), chosen.arn);
            let (settings, tags) = (Desired::domain_settings(), owner.created());
            let change = Change::CreateDomainName { domain, certificate, settings, tags };
            steps.push(Step::new(step_ids::DOMAIN_NAME, Action::Create, Reason::Absent, change));
        }
        Some(found) => {
            let settings = Desired::domain_settings();
            let mut fields = differences(&found.settings, &settings);
            let certificate = chosen.arn.to_string();
            if found.certificate != certificate {
                fields.push(Field::change("CertificateArn", &found.certificate, certificate));
            }
            if !fields.is_empty() {
                let (domain, certificate) = (domain.clone(), chosen.arn);
                let change = Change::UpdateDomainName { domain, certificate, settings, fields };
                steps.push(Step::new(step_ids::DOMAIN_NAME, Action::Update, Reason::Drifted, change));
            }
            if !owner.owns(&found.tags) {
                let change = Change::Tag { arn: found.arn.clone(), actual: found.tags.clone(), tags: owner.created() };
                steps.push(Step::new(step_ids::DOMAIN_NAME_TAGS, Action::Update, Reason::Drifted, change));
            }
        }
    }
    let is_changed = steps.iter().any(|step| step.id.as_str() == step_ids::DOMAIN_NAME);
    if is_changed || actual.domain_name.as_ref().is_some_and(|found| found.status != "AVAILABLE") {
        let change = Change::AwaitDomainName { domain: domain.clone() };
        let wait = Step::new(step_ids::DOMAIN_NAME_AVAILABLE, Action::Wait, Reason::Pending, change);
        steps.push(wait.follows(step_ids::DOMAIN_NAME));
    }
    steps.extend(plan_mapping(desired, actual, api));
    steps.extend(actual.surplus_apis.iter().map(|id| {
        let change = Change::DeleteApi { id: id.clone() };
        Step::new(step_ids::surplus_api(id), Action::Delete, Reason::Unwanted, change).follows(step_ids::MAPPING)
    }));
    let is_ready = steps.is_empty();
    let endpoint = actual.domain_name.as_ref().and_then(|found| found.endpoint.clone()).filter(|_| is_ready);
    Ok(Planned { steps, validation_records: chosen.validation_records, endpoint })
}

/// Whether the custom domain name is the site's: by its tags or, if those were replaced, because it leads to the site's API or bears the
/// site's certificate.
fn is_of_site(desired: &Desired, actual: &Actual, found: &DomainName) -> bool {
    let owner = desired.owner();
    let leads_to_api = |api: &Api| found.mappings.iter().any(|mapping| mapping.api == api.id.as_str());
    let has_certificate = || {
        let mut owned = actual.certificates.iter().filter(|one| owner.owns(&one.tags));
        owned.any(|certificate| certificate.arn.as_str() == found.certificate)
    };
    let is_marked = || actual.api.as_ref().is_some_and(leads_to_api) || has_certificate();
    owner.owns(&found.tags) || (owner.other(&found.tags).is_none() && is_marked())
}

/// The settings that differ.
fn differences(actual: &Settings, desired: &Settings) -> Vec<Field> {
    let differing = desired.iter().filter(|(name, value)| actual.get(*name) != Some(*value));
    let field = |(name, value): (&&'static str, &String)| Field {
        name: (*name).to_owned(),
        actual: actual.get(*name).cloned(),
        desired: Some(value.clone()),
    };
    differing.map(field).collect()
}

/// The id of the API, and the steps of the API with its integration, route and stage.
fn plan_api(desired: &Desired, actual: &Actual) -> (Deferred<ResourceId>, Vec<Step<Change>>) {
    let (owner, mut steps) = (desired.owner(), Vec::new());
    let api = match &actual.api {
        None => {
            let (name, settings, tags) = (desired.api_name(), Desired::api_settings(), owner.created());
            let change = Change::CreateApi { name, settings, tags };
            steps.push(Step::new(step_ids::API, Action::Create, Reason::Absent, change));
            Deferred::After(step_ids::API.into())
        }
        Some(api) => {
            let fields = differences(&api.settings, &Desired::api_settings());
            if !fields.is_empty() {
                let change = Change::UpdateApi { id: api.id.clone(), fields };
                steps.push(Step::new(step_ids::API, Action::Update, Reason::Drifted, change));
            }
            if !owner.owns(&api.tags) {
                let change = Change::Tag { arn: api.arn.clone(), actual: api.tags.clone(), tags: owner.created() };
                steps.push(Step::new(step_ids::API_TAGS, Action::Update, Reason::Drifted, change));
            }
            Deferred::Known(api.id.clone())
        }
    };
    let settings = desired.integration_settings();
    let existing = actual.api.as_ref().and_then(|api| api.integration.as_ref());
    let fields = existing.map_or_else(
        || settings.iter().map(|(name, value)| Field::set(*name, value)).collect(),
        |integration| differences(&integration.settings, &settings),
    );
    let (id, is_new) = (existing.map(|integration| integration.id.clone()), existing.is_none());
    let integration = match &id {
        Some(id) => Deferred::Known(id.clone()),
        None => Deferred::After(step_ids::INTEGRATION.into()),
    };
    let (create, drifted) = ((Action::Create, Reason::Absent), (Action::Update, Reason::Drifted));
    if !fields.is_empty() {
        let (action, reason) = if is_new { create.clone() } else { drifted.clone() };
        let change = Change::PutIntegration { api: api.clone(), id, settings, fields };
        steps.push(Step::new(step_ids::INTEGRATION, action, reason, change));
    }
    let route = actual.api.as_ref().and_then(|api| api.route.clone());
    if route.as_ref().is_none_or(|route| route.target != format!("integrations/{integration}")) {
        let (action, reason) = if route.is_none() { create.clone() } else { drifted.clone() };
        let change = Change::PutRoute { api: api.clone(), route, integration };
        steps.push(Step::new(step_ids::ROUTE, action, reason, change).follows(step_ids::INTEGRATION));
    }
    let stage = actual.api.as_ref().and_then(|api| api.stage);
    if stage.is_none_or(|stage| !stage.auto_deploy) {
        let (action, reason) = if stage.is_none() { create } else { drifted };
        let tags = if stage.is_none() { owner.created() } else { Default::default() };
        let change = Change::PutStage { api: api.clone(), exists: stage.is_some(), tags };
        // What is there when the stage is created is deployed with it.
        steps.push(Step::new(step_ids::STAGE, action, reason, change).follows(step_ids::ROUTE));
    }
    (api, steps)
}

fn plan_mapping(desired: &Desired, actual: &Actual, api: Deferred<ResourceId>) -> Option<Step<Change>> {
    let mappings = actual.domain_name.iter().flat_map(|found| &found.mappings);
    let existing = mappings.into_iter().find(|mapping| mapping.key.is_empty());
    let leads_to_api = existing.is_some_and(|mapping| {
        mapping.stage == "$default" && matches!(&api, Deferred::Known(id) if id.as_str() == mapping.api)
    });
    if leads_to_api {
        return None;
    }
    let (action, reason) =
        if existing.is_none() { (Action::Create, Reason::Absent) } else { (Action::Update, Reason::Drifted) };
    let change = Change::PutMapping { domain: desired.site.domain.clone(), api, replaces: existing.cloned() };
    let step = Step::new(step_ids::MAPPING, action, reason, change);
    Some(step.follows(step_ids::STAGE).follows(step_ids::DOMAIN_NAME_AVAILABLE))
}

/// The steps that delete what was created for the site. A caller that also manages DNS orders all of them after the deletion of the records
/// that lead to the standby: an API cannot be deleted while a domain name is mapped to it, and its certificate is released last.
pub fn plan_destruction(desired: &Desired, actual: &Actual, reason: &Reason) -> Vec<Step<Change>> {
    let owner = desired.owner();
    let delete = |id: &str, change| Step::new(id, Action::Delete, reason.clone(), change);
    let mut steps = Vec::new();
    if let Some(found) = actual.domain_name.as_ref().filter(|found| is_of_site(desired, actual, found)) {
        let domain = &desired.site.domain;
        for (index, mapping) in found.mappings.iter().enumerate() {
            let change = Change::DeleteMapping { domain: domain.clone(), id: mapping.id.clone() };
            let id = if index == 0 { step_ids::MAPPING.to_owned() } else { format!("{}/{index}", step_ids::MAPPING) };
            steps.push(delete(&id, change));
        }
        let change = Change::DeleteDomainName { domain: domain.clone() };
        let mappings: Vec<_> = steps.iter().map(|step| step.id.clone()).collect();
        steps.push(mappings.into_iter().fold(delete(step_ids::DOMAIN_NAME, change), Step::follows));
    }
    let apis = actual.api.iter().map(|api| (step_ids::API.into(), &api.id));
    let surplus = actual.surplus_apis.iter().map(|id| (step_ids::surplus_api(id), id));
    steps.extend(apis.chain(surplus).map(|(step, id): (twinsite_core::StepId, _)| {
        let change = Change::DeleteApi { id: id.clone() };
        Step::new(step, Action::Delete, reason.clone(), change).follows(step_ids::DOMAIN_NAME)
    }));
    // Load balancers of API Gateway count as users for a while after the domain name is gone.
    let is_foreign_user = |user: &String| !user.contains(":loadbalancer/");
    let owned = actual.certificates.iter().filter(|one| owner.created_by(&one.tags));
    let unused = owned.filter(|certificate| !certificate.used_by.iter().any(is_foreign_user));
    steps.extend(unused.enumerate().map(|(index, certificate)| {
        let change = Change::DeleteCertificate { arn: certificate.arn.clone() };
        let step = Step::new(step_ids::certificate_deletion(index), Action::Delete, reason.clone(), change);
        step.follows(step_ids::DOMAIN_NAME)
    }));
    steps
}
