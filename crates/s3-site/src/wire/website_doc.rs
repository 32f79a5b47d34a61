//! A website configuration, whole, in a form that can be written down and read again.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::operation::get_bucket_website::GetBucketWebsiteOutput;
use aws_sdk_s3::types::{
    Condition, ErrorDocument, IndexDocument, Protocol, Redirect, RedirectAllRequestsTo, RoutingRule,
    WebsiteConfiguration,
};
use serde::{Deserialize, Serialize};

/// A website configuration, with everything that can be in it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_WebsiteConfiguration.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebsiteDoc {
    index: Option<String>,
    error: Option<String>,
    redirect_all: Option<(String, Option<String>)>,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Rule {
    if_error: Option<String>,
    if_prefix: Option<String>,
    host: Option<String>,
    code: Option<String>,
    protocol: Option<String>,
    prefix: Option<String>,
    key: Option<String>,
}

impl WebsiteDoc {
    pub(crate) fn of(answer: &GetBucketWebsiteOutput) -> Self {
        let protocol = |protocol: &Protocol| protocol.as_str().to_owned();
        let rule = |rule: &RoutingRule| {
            let (condition, redirect) = (rule.condition(), rule.redirect());
            let text = |text: Option<&str>| text.map(str::to_owned);
            Rule {
                if_error: text(condition.and_then(Condition::http_error_code_returned_equals)),
                if_prefix: text(condition.and_then(Condition::key_prefix_equals)),
                host: text(redirect.and_then(Redirect::host_name)),
                code: text(redirect.and_then(Redirect::http_redirect_code)),
                protocol: redirect.and_then(Redirect::protocol).map(protocol),
                prefix: text(redirect.and_then(Redirect::replace_key_prefix_with)),
                key: text(redirect.and_then(Redirect::replace_key_with)),
            }
        };
        Self {
            index: answer.index_document().map(|index| index.suffix().to_owned()),
            error: answer.error_document().map(|error| error.key().to_owned()),
            redirect_all: answer
                .redirect_all_requests_to()
                .map(|all| (all.host_name().to_owned(), all.protocol().map(protocol))),
            rules: answer.routing_rules().iter().map(rule).collect(),
        }
    }

    pub(crate) fn configuration(&self) -> Result<WebsiteConfiguration, BuildError> {
        let Self { index, error, redirect_all, rules } = self;
        let all = redirect_all.as_ref().map(|(host, protocol)| {
            let protocol = protocol.as_deref().map(Protocol::from);
            RedirectAllRequestsTo::builder().host_name(host).set_protocol(protocol).build()
        });
        let rules = rules.iter().map(|rule| {
            let condition = Condition::builder()
                .set_http_error_code_returned_equals(rule.if_error.clone())
                .set_key_prefix_equals(rule.if_prefix.clone());
            let redirect = Redirect::builder()
                .set_host_name(rule.host.clone())
                .set_http_redirect_code(rule.code.clone())
                .set_protocol(rule.protocol.as_deref().map(Protocol::from))
                .set_replace_key_prefix_with(rule.prefix.clone())
                .set_replace_key_with(rule.key.clone());
            let conditional = rule.if_error.is_some() || rule.if_prefix.is_some();
            RoutingRule::builder()
                .set_condition(conditional.then(|| condition.build()))
                .redirect(redirect.build())
                .build()
        });
        let rules: Vec<RoutingRule> = rules.collect();
        Ok(WebsiteConfiguration::builder()
            .set_index_document(index.as_ref().map(|index| IndexDocument::builder().suffix(index).build()).transpose()?)
            .set_error_document(error.as_ref().map(|key| ErrorDocument::builder().key(key).build()).transpose()?)
            .set_redirect_all_requests_to(all.transpose()?)
            .set_routing_rules((!rules.is_empty()).then_some(rules))
            .build())
    }
}
