//! Operations on invalidations.

use std::time::SystemTime;

use super::super::{Element, Invalidation};
use super::{Call, Output, Reply};
use crate::context::ServiceError;
use crate::protocol::reply::rfc3339;

fn whole(invalidation: &Invalidation, now: SystemTime) -> Element {
    let paths = invalidation.paths.iter().map(|path| Element::leaf("Path", path.as_str())).collect();
    let batch = vec![Element::list("Paths", paths), Element::leaf("CallerReference", invalidation.reference.as_str())];
    let children = vec![
        Element::leaf("Id", invalidation.id.as_str()),
        Element::leaf("Status", invalidation.status(now)),
        Element::leaf("CreateTime", rfc3339(invalidation.created)),
        Element::node("InvalidationBatch", batch),
    ];
    Element::node("Invalidation", children)
}

impl Call<'_> {
    pub(super) fn create_invalidation(&mut self) -> Reply {
        let body = self.body()?;
        if body.inconsistent().is_some() {
            let message = "The value of Quantity and the number of Items don't match.";
            return Err(ServiceError::invalid("InconsistentQuantities", message));
        }
        let paths = body.items("Paths").iter().map(|path| path.text.clone()).collect();
        let reference = body.at("CallerReference");
        let invalidation = self.cloudfront.create_invalidation(self.id, reference, paths, self.now)?;
        let path = format!("distribution/{}/invalidation/{}", self.id, invalidation.id);
        Ok(Output::created(whole(&invalidation, self.now.time), "", &path))
    }

    pub(super) fn get_invalidation(&self, id: &str) -> Reply {
        let mut all = self.cloudfront.distribution(self.id)?.invalidations.iter();
        let missing = || ServiceError::new("NoSuchInvalidation", 404, "The specified invalidation does not exist.");
        let found = all.find(|invalidation| invalidation.id == id).ok_or_else(missing)?;
        Ok(Output::ok(whole(found, self.now.time)))
    }
}
