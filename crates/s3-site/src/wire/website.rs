//! Website configurations.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::operation::get_bucket_website::GetBucketWebsiteOutput;
use aws_sdk_s3::types::{
    Condition, ErrorDocument, IndexDocument, Protocol, Redirect, RedirectAllRequestsTo, RoutingRule as SdkRoutingRule,
    WebsiteConfiguration,
};

use crate::model::{RoutingRule, WebsiteSnapshot};

pub(crate) fn snapshot(response: &GetBucketWebsiteOutput) -> WebsiteSnapshot {
    let redirect_all = response.redirect_all_requests_to();
    WebsiteSnapshot {
        index_document: response.index_document().map(|index| index.suffix().to_owned()),
        error_document: response.error_document().map(|error| error.key().to_owned()),
        redirect_all: redirect_all.map(|all| (all.host_name().to_owned(), all.protocol().map(protocol))),
        routing_rules: response.routing_rules().iter().map(routing_rule).collect(),
    }
}

fn protocol(protocol: &Protocol) -> String {
    protocol.as_str().to_owned()
}

fn routing_rule(rule: &SdkRoutingRule) -> RoutingRule {
    let (condition, redirect) = (rule.condition(), rule.redirect());
    let text = |text: Option<&str>| text.map(str::to_owned);
    RoutingRule {
        if_error: text(condition.and_then(Condition::http_error_code_returned_equals)),
        if_prefix: text(condition.and_then(Condition::key_prefix_equals)),
        host: text(redirect.and_then(Redirect::host_name)),
        code: text(redirect.and_then(Redirect::http_redirect_code)),
        protocol: redirect.and_then(Redirect::protocol).map(protocol),
        prefix: text(redirect.and_then(Redirect::replace_key_prefix_with)),
        key: text(redirect.and_then(Redirect::replace_key_with)),
    }
}

pub(crate) fn configuration(snapshot: &WebsiteSnapshot) -> Result<WebsiteConfiguration, BuildError> {
    let WebsiteSnapshot { index_document, error_document, redirect_all, routing_rules } = snapshot;
    let index = index_document.as_ref().map(|suffix| IndexDocument::builder().suffix(suffix).build());
    let error = error_document.as_ref().map(|key| ErrorDocument::builder().key(key).build());
    let redirect_all = redirect_all.as_ref().map(|(host, protocol)| {
        let protocol = protocol.as_deref().map(Protocol::from);
        RedirectAllRequestsTo::builder().host_name(host).set_protocol(protocol).build()
    });
    let rules: Vec<SdkRoutingRule> = routing_rules.iter().map(sdk_routing_rule).collect();
    Ok(WebsiteConfiguration::builder()
        .set_index_document(index.transpose()?)
        .set_error_document(error.transpose()?)
        .set_redirect_all_requests_to(redirect_all.transpose()?)
        .set_routing_rules((!rules.is_empty()).then_some(rules))
        .build())
}

fn sdk_routing_rule(rule: &RoutingRule) -> SdkRoutingRule {
    let RoutingRule { if_error, if_prefix, host, code, protocol, prefix, key } = rule.clone();
    let is_conditional = if_error.is_some() || if_prefix.is_some();
    let condition =
        Condition::builder().set_http_error_code_returned_equals(if_error).set_key_prefix_equals(if_prefix).build();
    let redirect = Redirect::builder()
        .set_host_name(host)
        .set_http_redirect_code(code)
        .set_protocol(protocol.as_deref().map(Protocol::from))
        .set_replace_key_prefix_with(prefix)
        .set_replace_key_with(key)
        .build();
    SdkRoutingRule::builder().set_condition(is_conditional.then_some(condition)).redirect(redirect).build()
}
