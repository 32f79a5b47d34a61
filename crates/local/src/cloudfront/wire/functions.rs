//! Operations on functions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::resources::no_function;
use super::super::{Element, Function};
use super::{Call, Output, Reply};
use crate::context::ServiceError;
use crate::protocol::reply::rfc3339;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Development,
    Live,
}

fn summary(function: &Function, stage: Stage) -> Element {
    let (stage_name, config) = match (stage, &function.live) {
        (Stage::Live, Some((config, _))) => ("LIVE", config),
        (Stage::Live, None) => ("LIVE", &function.config),
        (Stage::Development, _) => ("DEVELOPMENT", &function.config),
    };
    let metadata = vec![
        Element::leaf("FunctionARN", function.arn()),
        Element::leaf("Stage", stage_name),
        Element::leaf("CreatedTime", rfc3339(function.created)),
        Element::leaf("LastModifiedTime", rfc3339(function.modified)),
    ];
    let children = vec![
        Element::leaf("Name", function.name.as_str()),
        Element::leaf("Status", if function.live.is_some() { "DEPLOYED" } else { "UNPUBLISHED" }),
        Element { name: "FunctionConfig".to_owned(), ..config.clone() },
        Element::node("FunctionMetadata", metadata),
    ];
    Element::node("FunctionSummary", children)
}

fn config_of(body: &Element) -> Element {
    body.child("FunctionConfig").cloned().unwrap_or_default()
}

impl Call<'_> {
    /// The function and the stage that a request names.
    fn function_at_stage(&self) -> Result<(&Function, Stage), ServiceError> {
        let function = self.cloudfront.function(self.id)?;
        if self.query("Stage") != "LIVE" {
            return Ok((function, Stage::Development));
        }
        if function.live.is_some() { Ok((function, Stage::Live)) } else { Err(no_function()) }
    }

    pub(super) fn create_function(&mut self) -> Reply {
        let body = self.body()?;
        let (name, code) = (body.at("Name"), body.at("FunctionCode").to_owned());
        let function = self.cloudfront.create_function(name, config_of(&body), code, self.now.time)?;
        Ok(Output::created(summary(&function, Stage::Development), &function.etag, &format!("function/{name}")))
    }

    pub(super) fn update_function(&mut self) -> Reply {
        let body = self.body()?;
        let (config, code) = (config_of(&body), body.at("FunctionCode").to_owned());
        let function = self.cloudfront.update_function(self.id, self.if_match, config, code, self.now.time)?;
        let body = summary(&function, Stage::Development);
        Ok(Output { ettag: Some(function.etag), ..Output::ok(body) })
    }

    pub(super) fn publish_function(&mut self) -> Reply {
        let function = self.cloudfront.publish_function(self.id, self.if_match)?;
        Ok(Output::with_etag(summary(&function, Stage::Live), &function.etag))
    }

    pub(super) fn delete_function(&mut self) -> Reply {
        self.cloudfront.delete_function(self.id, self.if_match)?;
        Ok(Output::no_content())
    }

    pub(super) fn describe_function(&self) -> Reply {
        let (function, stage) = self.function_at_stage()?;
        Ok(Output::with_etag(summary(function, stage), &function.etag))
    }

    pub(super) fn get_function(&self) -> Reply {
        let (function, stage) = self.function_at_stage()?;
        let code = match (stage, &function.live) {
            (Stage::Live, Some((_, code))) => code,
            (Stage::Live | Stage::Development, _) => &function.code,
        };
        let raw = STANDARD.decode(code).map_err(ServiceError::internal)?;
        Ok(Output { raw: Some(raw), etag: Some(function.etag.clone()), ..Output::default() })
    }
}
