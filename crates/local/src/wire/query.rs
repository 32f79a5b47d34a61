//! Requests as the Query services take them: a form whose lists are `Name.member.N`.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use percent_encoding::percent_decode_str;

/// The fields of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a request's form.
    pub(crate) fn of(request: &Request<Bytes>) -> Self {
        let text = String::from_utf8_lossy(request.body());
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    /// One field; `None` when it was not sent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The operation that a request names.
pub(crate) fn action(request: &Request<Bytes>) -> String {
    Form::of(request).get("Action").unwrap_or("Unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let request = Request::new(Bytes::from_static(b"Action=PutX&Doc=%7B%22a%22%3A+1%7D&Empty="));
        assert_eq!(action(&request), "PutX");
        assert_eq!(Form::of(&request).get("Doc"), Some("{\"a\": 1}"));
        assert_eq!(Form::of(&request).get("Empty"), Some(""));
    }
}
