//! IAM roles.

use aws_sdk_iam::error::BuildError;
use aws_sdk_iam::types::Tag;
use twinsite_aws::Tags;

pub(crate) fn from_sdk_tags(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

pub(crate) fn to_sdk_tags(tags: &Tags) -> Result<Vec<Tag>, BuildError> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
