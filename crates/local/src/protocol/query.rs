//! The awsQuery protocol: requests are forms whose lists are `Name.member.N`.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use s3s::Body;
use serde_json::Value;

use super::reply;
use crate::context::{ServiceError, Tags};

/// The fields of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    /// Parses a request's body.
    pub(crate) fn parse(request: &Request<Bytes>) -> Self {
        let text = String::from_utf8_lossy(request.body());
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    /// The values of `name.member.1`, `name.member.2`…
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        (1..).map_while(|index| self.0.get(&format!("{name}.member.{index}")).cloned()).collect()
    }

    /// The keys and values of `name.member.1.Key`, `name.member.1.Value`…
    pub(crate) fn pairs(&self, name: &str) -> Tags {
        let field = |index: usize, part: &str| self.0.get(&format!("{name}.member.{index}.{part}")).cloned();
        (1..).map_while(|index| Some((field(index, "Key")?, field(index, "Value").unwrap_or_default()))).collect()
    }

    /// A field; `None` when it was not sent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A field; empty when it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The operation.
    pub(crate) fn action(&self) -> &str {
        self.get("Action").unwrap_or("Unknown")
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// A response with the result of an operation.
pub(crate) fn respond(action: &str, result: Value) -> Result<Response<Body>, ServiceError> {
    let inner = reply::to_xml(&format!("{action}Result"), result)?;
    let text = format!(
        "<{action}Response>{inner}<ResponseMetadata><RequestId>embedded</RequestId></ResponseMetadata></{action}Response>"
    );
    Ok(reply::xml(StatusCode::OK, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let parse = |text: &'static [u8]| Form::parse(&Request::new(Bytes::from_static(text)));
        let lists = parse(b"L.member.1=x&L.member.2=y&T.member.1.Key=k&T.member.1.Value=v");
        assert_eq!(lists.list("L"), ["x", "y"]);
        assert_eq!(lists.pairs("T"), Tags::from([("k".to_owned(), "v".to_owned())]));
        let fields = parse(b"Action=PutX&Doc=%7B%22a%22%3A+1%7D&Empty=");
        assert_eq!((fields.action(), fields.get("Doc"), fields.get("Empty")), ("PutX", Some("{\"a\": 1}"), Some("")));
    }
}
