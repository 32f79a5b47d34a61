//! Invalidations.

use std::time::SystemTime;

use super::super::reply::rfc3339;
use super::{Answer, Answered, Call};
use crate::world::cloudfront::{Element, Fault, Invalidation};

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

fn summary(invalidation: &Invalidation, now: SystemTime) -> Element {
    let children = vec![
        Element::leaf("Id", invalidation.id.as_str()),
        Element::leaf("CreateTime", rfc3339(invalidation.created)),
        Element::leaf("Status", invalidation.status(now)),
    ];
    Element::node("InvalidationSummary", children)
}

impl Call<'_> {
    pub(super) fn create_invalidation(&self) -> Answered {
        let body = self.body()?;
        if body.inconsistent().is_some() {
            let message = "The value of Quantity and the number of Items don't match.";
            return Err(Fault::new("InconsistentQuantities", 400, message));
        }
        let paths = body.items("Paths").iter().map(|path| path.text.clone()).collect();
        let (made, now) = self.world.change_account(|account, moment| {
            let made = account.cloudfront.invalidate(self.id(), body.at("CallerReference"), paths, moment)?;
            Ok::<_, Fault>((made, moment.now))
        })?;
        let location = format!("{}distribution/{}/invalidation/{}", super::VERSION, self.id(), made.id);
        Ok(Answer::created(whole(&made, now), "", &location))
    }

    pub(super) fn get_invalidation(&self, id: &str) -> Answered {
        self.world.account(|account, moment| {
            let all = &account.cloudfront.distribution(self.id())?.invalidations;
            let found = all.iter().find(|invalidation| invalidation.id == id);
            let missing = || Fault::new("NoSuchInvalidation", 404, "The specified invalidation does not exist.");
            Ok(Answer::ok(whole(found.ok_or_else(missing)?, moment.now)))
        })
    }

    pub(super) fn list_invalidations(&self) -> Answered {
        let all = self.world.account(|account, moment| {
            let all = account.cloudfront.distribution(self.id())?.invalidations.iter();
            let all = all.map(|invalidation| (invalidation.id.clone(), summary(invalidation, moment.now)));
            Ok::<Vec<_>, Fault>(all.collect())
        })?;
        Ok(self.listed("InvalidationList", all))
    }
}
