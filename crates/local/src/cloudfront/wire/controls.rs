//! Operations on origin access controls.

use super::super::{Element, OriginAccessControl};
use super::{Call, Output, Reply};

fn whole(control: &OriginAccessControl) -> Element {
    let config = Element { name: "OriginAccessControlConfig".to_owned(), ..control.config.clone() };
    Element::node("OriginAccessControl", vec![Element::leaf("Id", control.id.as_str()), config])
}

fn summary(control: &OriginAccessControl) -> Element {
    let id = Element::leaf("Id", control.id.as_str());
    let children = std::iter::once(id).chain(control.config.children.iter().cloned());
    Element::node("OriginAccessControlSummary", children.collect())
}

impl Call<'_> {
    pub(super) fn create_access_control(&mut self) -> Reply {
        let control = self.cloudfront.create_access_control(self.body()?, self.now.time)?;
        Ok(Output::created(whole(&control), &control.etag, &format!("origin-access-control/{}", control.id)))
    }

    pub(super) fn get_access_control(&self) -> Reply {
        let control = self.cloudfront.access_control(self.id)?;
        Ok(Output::with_etag(whole(control), &control.etag))
    }

    pub(super) fn update_access_control(&mut self) -> Reply {
        let config = self.body()?;
        let control = self.cloudfront.update_access_control(self.id, self.if_match, config, self.now.time)?;
        Ok(Output::with_etag(whole(&control), &control.etag))
    }

    pub(super) fn delete_access_control(&mut self) -> Reply {
        self.cloudfront.delete_access_control(self.id, self.if_match)?;
        Ok(Output::no_content())
    }

    pub(super) fn list_access_controls(&self) -> Output {
        let all = self.cloudfront.controls.values().map(|control| (control.id.clone(), summary(control)));
        self.page("OriginAccessControlList", all)
    }
}
