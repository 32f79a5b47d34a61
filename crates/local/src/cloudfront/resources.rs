//! Origin access controls and functions.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{CloudFront, Element, check_etag};
use crate::context::{ACCOUNT, ServiceError, Tags};

/// An origin access control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OriginAccessControl {
    /// Its id.
    pub id: String,
    /// Its configuration.
    pub config: Element,
    /// Its `ETag`, new after every update.
    pub etag: String,
    /// When it was last changed.
    pub modified: SystemTime,
}

/// A function: a development and a live stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its configuration in the development stage.
    pub config: Element,
    /// Its code in the development stage, in base64 as received.
    pub code: String,
    /// Its `ETag`, new after every update.
    pub etag: String,
    /// The configuration and code in the live stage.
    pub live: Option<(Element, String)>,
    /// When it was created.
    pub created: SystemTime,
    /// When it was last changed.
    pub modified: SystemTime,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

impl Function {
    /// Its ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:cloudfront::{ACCOUNT}:function/{}", self.name)
    }

    /// The ARNs of the key value stores that it is associated with, in any stage.
    pub(crate) fn stores(&self) -> Vec<String> {
        let live = self.live.as_ref().map(|(config, _)| config);
        let associated = std::iter::once(&self.config).chain(live);
        let all = associated.flat_map(|config| config.items("KeyValueStoreAssociations"));
        all.map(|one| one.at("KeyValueStoreARN").to_owned()).collect()
    }
}

impl CloudFront {
    /// An origin access control by id.
    pub fn access_control(&self, id: &str) -> Result<&OriginAccessControl, ServiceError> {
        let missing = || ServiceError::new("NoSuchOriginAccessControl", 404, format!("{id} does not exist."));
        self.controls.get(id).ok_or_else(missing)
    }

    fn check_control_name(&self, config: &Element, except: Option<&str>) -> Result<(), ServiceError> {
        let name = config.at("Name");
        if name.is_empty() || name.len() > 128 {
            return Err(ServiceError::invalid("InvalidArgument", "The name is missing or too long."));
        }
        let mut others = self.controls.values().filter(|control| Some(control.id.as_str()) != except);
        if others.any(|control| control.config.at("Name") == name) {
            return Err(ServiceError::new("OriginAccessControlAlreadyExists", 409, format!("{name} exists already.")));
        }
        Ok(())
    }

    /// Creates an origin access control.
    pub fn create_access_control(
        &mut self,
        config: Element,
        now: SystemTime,
    ) -> Result<OriginAccessControl, ServiceError> {
        self.check_control_name(&config, None)?;
        let (id, etag) = (format!("E{}", self.next_id()), format!("E{}", self.next_id()));
        let control = OriginAccessControl { id: id.clone(), config, etag, modified: now };
        self.controls.insert(id, control.clone());
        Ok(control)
    }

    /// Replaces the configuration of an origin access control.
    pub fn update_access_control(
        &mut self,
        id: &str,
        if_match: Option<&str>,
        config: Element,
        now: SystemTime,
    ) -> Result<OriginAccessControl, ServiceError> {
        check_etag(if_match, &self.access_control(id)?.etag)?;
        self.check_control_name(&config, Some(id))?;
        let etag = format!("E{}", self.next_id());
        let control = OriginAccessControl { id: id.to_owned(), config, etag, modified: now };
        self.controls.insert(id.to_owned(), control.clone());
        Ok(control)
    }

    /// Deletes an origin access control that no distribution uses.
    pub fn delete_access_control(&mut self, id: &str, if_match: Option<&str>) -> Result<(), ServiceError> {
        check_etag(if_match, &self.access_control(id)?.etag)?;
        if self.distributions().any(|distribution| distribution.config.to_xml().contains(&format!(">{id}<"))) {
            let message = format!("{id} is in use by a distribution.");
            return Err(ServiceError::new("OriginAccessControlInUse", 409, message));
        }
        self.controls.remove(id);
        Ok(())
    }

    /// A function by name.
    pub fn function(&self, name: &str) -> Result<&Function, ServiceError> {
        self.functions.get(name).ok_or_else(no_function)
    }

    /// Creates a function, in the development stage.
    pub fn create_function(
        &mut self,
        name: &str,
        config: Element,
        code: String,
        now: SystemTime,
    ) -> Result<Function, ServiceError> {
        if self.functions.contains_key(name) {
            let message = format!("A function {name} exists already.");
            return Err(ServiceError::new("FunctionAlreadyExists", 409, message));
        }
        check_size(&code)?;
        self.check_associations(&config, now)?;
        let (name, etag) = (name.to_owned(), format!("ETVPDK{}", self.next_id()));
        let (live, tags) = (None, Tags::new());
        let function = Function { name, config, code, etag, live, created: now, modified: now, tags };
        self.functions.insert(function.name.clone(), function.clone());
        Ok(function)
    }

    /// Replaces the configuration and code of a function in the development stage.
    pub fn update_function(
        &mut self,
        name: &str,
        if_match: Option<&str>,
        config: Element,
        code: String,
        now: SystemTime,
    ) -> Result<Function, ServiceError> {
        check_etag(if_match, &self.function(name)?.etag)?;
        check_size(&code)?;
        self.check_associations(&config, now)?;
        let etag = format!("ETVPDK{}", self.next_id());
        let function = Function { config, code, etag, modified: now, ..self.function(name)?.clone() };
        self.functions.insert(name.to_owned(), function.clone());
        Ok(function)
    }

    /// Copies the development stage of a function to the live stage.
    pub fn publish_function(&mut self, name: &str, if_match: Option<&str>) -> Result<Function, ServiceError> {
        let function = self.functions.get_mut(name).ok_or_else(no_function)?;
        check_etag(if_match, &function.etag)?;
        function.live = Some((function.config.clone(), function.code.clone()));
        Ok(function.clone())
    }

    /// Deletes a function that no distribution uses.
    pub fn delete_function(&mut self, name: &str, if_match: Option<&str>) -> Result<(), ServiceError> {
        let function = self.function(name)?;
        check_etag(if_match, &function.etag)?;
        let arn = function.arn();
        if self.distributions().any(|distribution| distribution.config.to_xml().contains(&arn)) {
            return Err(ServiceError::new("FunctionInUse", 409, format!("The function {name} is in use.")));
        }
        self.functions.remove(name);
        Ok(())
    }
}

pub(super) fn no_function() -> ServiceError {
    ServiceError::new("NoSuchFunctionExists", 404, "The specified function does not exist.")
}

/// The limit of 10 KB, in base64.
fn check_size(code: &str) -> Result<(), ServiceError> {
    if code.len() > 10 * 1024 * 4 / 3 + 4 {
        return Err(ServiceError::new("FunctionSizeLimitExceeded", 413, "The function is too large."));
    }
    Ok(())
}
