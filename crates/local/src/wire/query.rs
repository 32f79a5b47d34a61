//! Requests as the Query services take them: a form whose lists are `Name.member.N`.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use s3s::Body;
use serde::Serialize;

use super::reply;

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

    /// The values of `name.member.1`, `name.member.2`…
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let at = |index: usize| self.get(&format!("{name}.member.{index}")).map(str::to_owned);
        (1..).map_while(at).collect()
    }

    /// The keys and values of `name.member.1.Key`, `name.member.1.Value`…
    pub(crate) fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let field = |index: usize, part: &str| self.get(&format!("{name}.member.{index}.{part}"));
        let pair =
            |index| Some((field(index, "Key")?.to_owned(), field(index, "Value").unwrap_or_default().to_owned()));
        (1..).map_while(pair).collect()
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

/// The answer to an operation: its result in the envelope that all Query services use.
pub(crate) fn answer<T: Serialize>(action: &str, result: &T) -> Response<Body> {
    let inner = match quick_xml::se::to_string_with_root(&format!("{action}Result"), result) {
        Ok(inner) => inner,
        Err(error) => return reply::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", &error.to_string()),
    };
    let text = format!(
        "<{action}Response>{inner}<ResponseMetadata><RequestId>embedded</RequestId></ResponseMetadata></{action}Response>"
    );
    reply::xml(StatusCode::OK, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let request =
            Request::new(Bytes::from_static(b"L.member.1=x&L.member.2=y&T.member.1.Key=k&T.member.1.Value=v"));
        assert_eq!(Form::of(&request).list("L"), ["x", "y"]);
        assert_eq!(Form::of(&request).pairs("T"), [("k".to_owned(), "v".to_owned())]);
        let request = Request::new(Bytes::from_static(b"Action=PutX&Doc=%7B%22a%22%3A+1%7D&Empty="));
        assert_eq!(action(&request), "PutX");
        assert_eq!(Form::of(&request).get("Doc"), Some("{\"a\": 1}"));
        assert_eq!(Form::of(&request).get("Empty"), Some(""));
    }
}
