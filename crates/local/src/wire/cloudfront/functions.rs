//! Functions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::reply::rfc3339;
use super::{Answer, Answered, Call};
use crate::world::cloudfront::{Element, Fault, Function};

fn summary(function: &Function, live: bool) -> Element {
    let metadata = vec![
        Element::leaf("FunctionARN", function.arn()),
        Element::leaf("Stage", if live { "LIVE" } else { "DEVELOPMENT" }),
        Element::leaf("CreatedTime", rfc3339(function.created)),
        Element::leaf("LastModifiedTime", rfc3339(function.modified)),
    ];
    let config = match &function.live {
        Some((config, _)) if live => config,
        Some(_) | None => &function.config,
    };
    let children = vec![
        Element::leaf("Name", function.name.as_str()),
        Element::leaf("Status", if function.live.is_some() { "DEPLOYED" } else { "UNPUBLISHED" }),
        Element { name: "FunctionConfig".to_owned(), ..config.clone() },
        Element::node("FunctionMetadata", metadata),
    ];
    Element::node("FunctionSummary", children)
}

fn parts(body: &Element) -> (Element, String) {
    (body.child("FunctionConfig").cloned().unwrap_or_default(), body.at("FunctionCode").to_owned())
}

impl Call<'_> {
    /// A function at the stage asked for.
    fn at_stage(&self) -> Result<(Function, bool), Fault> {
        let live = self.query("Stage") == "LIVE";
        let function = self.world.account(|account, _| account.cloudfront.function(self.id()).cloned())?;
        if live && function.live.is_none() {
            return Err(Fault::new("NoSuchFunctionExists", 404, "The specified function does not exist."));
        }
        Ok((function, live))
    }

    pub(super) fn create_function(&self) -> Answered {
        let body = self.body()?;
        let name = body.at("Name").to_owned();
        let made = self
            .world
            .change_account(|account, moment| account.cloudfront.put_function(&name, None, parts(&body), moment.now))?;
        let location = format!("{}function/{name}", super::VERSION);
        Ok(Answer::created(summary(&made, false), &made.etag, &location))
    }

    pub(super) fn update_function(&self) -> Answered {
        let body = self.body()?;
        let changed = self.world.change_account(|account, moment| {
            account.cloudfront.put_function(self.id(), Some(self.if_match), parts(&body), moment.now)
        })?;
        Ok(Answer { ettag: Some(changed.etag.clone()), ..Answer::ok(summary(&changed, false)) })
    }

    pub(super) fn publish_function(&self) -> Answered {
        let live = self.world.change_account(|account, _| account.cloudfront.publish(self.id(), self.if_match))?;
        Ok(Answer::tagged(summary(&live, true), &live.etag))
    }

    pub(super) fn delete_function(&self) -> Answered {
        self.world.change_account(|account, _| {
            account.cloudfront.delete_function(self.id(), self.if_match)?;
            Ok(Answer::nothing())
        })
    }

    pub(super) fn describe_function(&self) -> Answered {
        let (function, live) = self.at_stage()?;
        Ok(Answer::tagged(summary(&function, live), &function.etag))
    }

    pub(super) fn get_function(&self) -> Answered {
        let (function, live) = self.at_stage()?;
        let code = match function.live {
            Some((_, code)) if live => code,
            Some(_) | None => function.code,
        };
        let raw = STANDARD.decode(code).map_err(|error| Fault::new("InternalError", 500, error.to_string()))?;
        Ok(Answer { raw: Some(raw), etag: Some(function.etag), ..Answer::default() })
    }

    pub(super) fn list_functions(&self) -> Answer {
        let live = self.query("Stage") == "LIVE";
        let all = self.world.account(|account, _| {
            let all = account.cloudfront.functions.values().filter(|function| !live || function.live.is_some());
            all.map(|function| (function.name.clone(), summary(function, live))).collect()
        });
        self.listed("FunctionList", all)
    }
}
