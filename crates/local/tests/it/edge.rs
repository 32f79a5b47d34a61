//! The edges, over plain sockets.

use std::io::Read;
use std::net::SocketAddr;

use aws_sdk_cloudfront::types::{
    CustomOriginConfig, DefaultCacheBehavior, DistributionConfig, EventType, FunctionAssociation, FunctionAssociations,
    FunctionConfig, FunctionRuntime, GeoRestriction, GeoRestrictionType, Origin, OriginProtocolPolicy, Origins,
    Restrictions, ViewerProtocolPolicy,
};
use aws_sdk_s3::types::{IndexDocument, PublicAccessBlockConfiguration, WebsiteConfiguration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use twinsite_local::dataplane::DataPlane;
use twinsite_local::{Cloud, Ports};

use crate::wire::{exchange, exchange_bytes};
use crate::{session, site};

const POLICY: &str = r#"{"Statement":[
    {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::site/*"}]}"#;

struct Edge {
    address: SocketAddr,
    host: String,
    cloud: Cloud,
    _tasks: JoinSet<()>,
}

impl Edge {
    /// A distribution in front of a public website, with a function at its viewer's requests.
    async fn new(function: Option<&str>) -> Self {
        let (cloud, s3) = site().await;
        let open = PublicAccessBlockConfiguration::builder().build();
        s3.put_public_access_block().bucket("site").public_access_block_configuration(open).send().await.unwrap();
        s3.put_bucket_policy().bucket("site").policy(POLICY).send().await.unwrap();
        let index = IndexDocument::builder().suffix("index.html").build().unwrap();
        let website = WebsiteConfiguration::builder().index_document(index).build();
        s3.put_bucket_website().bucket("site").website_configuration(website).send().await.unwrap();
        for (key, body) in [("digits", "0123456789".to_owned()), ("long", "text ".repeat(1000))] {
            let put = s3.put_object().bucket("site").key(key).content_type("text/plain").cache_control("max-age=60");
            put.body(body.into_bytes().into()).send().await.unwrap();
        }
        let client = session(&cloud).await.cloudfront();
        let custom = CustomOriginConfig::builder().http_port(80).https_port(443);
        let custom = custom.origin_protocol_policy(OriginProtocolPolicy::HttpOnly).build().unwrap();
        let origin = Origin::builder().id("site").domain_name("site.s3-website-us-east-1.amazonaws.com");
        let origin = origin.custom_origin_config(custom).build().unwrap();
        let mut behavior = DefaultCacheBehavior::builder()
            .target_origin_id("site")
            .cache_policy_id("658327ea-f89d-4fab-a63d-7e88639e58f6")
            .compress(true)
            .viewer_protocol_policy(ViewerProtocolPolicy::AllowAll);
        if let Some(code) = function {
            let config =
                FunctionConfig::builder().comment("").runtime(FunctionRuntime::CloudfrontJs20).build().unwrap();
            let create = client.create_function().name("f").function_config(config);
            let created = create.function_code(aws_smithy_types::Blob::new(code)).send().await.unwrap();
            let published = client.publish_function().name("f").if_match(created.e_tag.unwrap()).send().await.unwrap();
            let arn = published.function_summary.unwrap().function_metadata.unwrap().function_arn;
            let association = FunctionAssociation::builder().function_arn(arn).event_type(EventType::ViewerRequest);
            let associations = FunctionAssociations::builder().quantity(1).items(association.build().unwrap());
            behavior = behavior.function_associations(associations.build().unwrap());
        }
        let config = DistributionConfig::builder().caller_reference("r").comment("c").enabled(true);
        let origins = Origins::builder().quantity(1).items(origin).build().unwrap();
        let config = config.origins(origins).default_cache_behavior(behavior.build().unwrap()).build().unwrap();
        let made = client.create_distribution().distribution_config(config).send().await.unwrap();
        let host = made.distribution.unwrap().domain_name;
        let plane = DataPlane::open(&cloud, None, Ports::ANY, 1).await.unwrap();
        let address = SocketAddr::new(plane.endpoints().name_server, plane.endpoints().ports.http);
        let mut tasks = JoinSet::new();
        tasks.spawn(plane.run(CancellationToken::new()));
        Self { address, host, cloud, _tasks: tasks }
    }

    async fn ask(&self, method: &str, target: &str, headers: &str) -> String {
        let request =
            format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n{headers}Connection: close\r\n\r\n", self.host);
        exchange(self.address, &request).await
    }
}

#[tokio::test]
async fn ranges_are_answered_from_the_origin_and_from_the_cache() {
    let edge = Edge::new(None).await;
    for _ in 0..2 {
        for (range, header, body) in [
            ("bytes=2-4", "content-range: bytes 2-4/10", "234"),
            ("bytes=7-", "content-range: bytes 7-9/10", "789"),
            ("bytes=-2", "content-range: bytes 8-9/10", "89"),
            ("bytes=8-100", "content-range: bytes 8-9/10", "89"),
        ] {
            let answer = edge.ask("GET", "/digits", &format!("Range: {range}\r\nAccept-Encoding: gzip\r\n")).await;
            assert!(
                answer.starts_with("HTTP/1.1 206") && answer.contains(header) && answer.ends_with(body),
                "{answer}"
            );
        }
        let beyond = edge.ask("GET", "/digits", "Range: bytes=10-\r\n").await;
        assert!(beyond.starts_with("HTTP/1.1 416") && beyond.contains("content-range: bytes */10"), "{beyond}");
        let several = edge.ask("GET", "/digits", "Range: bytes=0-0,2-2\r\n").await;
        assert!(several.starts_with("HTTP/1.1 200") && several.ends_with("0123456789"), "{several}");
        let stale = edge.ask("GET", "/digits", "Range: bytes=0-0\r\nIf-Range: \"other\"\r\n").await;
        assert!(stale.starts_with("HTTP/1.1 200"), "{stale}");
    }
}

#[tokio::test]
async fn viewers_of_countries_that_are_not_served_get_a_403() {
    let edge = Edge::new(None).await;
    let client = session(&edge.cloud).await.cloudfront();
    let id = client.list_distributions().send().await.unwrap().distribution_list.unwrap().items()[0].id().to_owned();
    let ask = async |country: &str| {
        let header =
            if country.is_empty() { String::new() } else { format!("CloudFront-Viewer-Country: {country}\r\n") };
        edge.ask("GET", "/digits", &header).await.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!((ask("RU").await, ask("DE").await), ("200".to_owned(), "200".to_owned()));
    for (kind, codes, served, refused) in [
        (GeoRestrictionType::Blacklist, ["RU", "BY"], "DE", "RU"),
        (GeoRestrictionType::Whitelist, ["DE", "US"], "DE", "FR"),
    ] {
        let read = client.get_distribution_config().id(&id).send().await.unwrap();
        let mut config = read.distribution_config.unwrap();
        let codes = codes.map(str::to_owned).to_vec();
        let restriction = GeoRestriction::builder().restriction_type(kind).quantity(2).set_items(Some(codes));
        config.restrictions = Some(Restrictions::builder().geo_restriction(restriction.build().unwrap()).build());
        client
            .update_distribution()
            .id(&id)
            .if_match(read.e_tag.unwrap())
            .distribution_config(config)
            .send()
            .await
            .unwrap();
        assert_eq!((ask(served).await, ask(refused).await), ("200".to_owned(), "403".to_owned()));
        assert_eq!(ask("").await, "200", "who does not say where they are is in US");
    }
    let told = edge.ask("GET", "/digits", "CloudFront-Viewer-Country: FR\r\n").await;
    assert!(told.contains("configured to block access from your country"), "{told}");
}

#[tokio::test]
async fn head_has_the_length_of_get() {
    let edge = Edge::new(None).await;
    for _ in 0..2 {
        let head = edge.ask("HEAD", "/digits", "").await;
        assert!(head.contains("content-length: 10\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    }
    let get = edge.ask("GET", "/digits", "").await;
    assert!(get.contains("content-length: 10\r\n") && get.contains("accept-ranges: bytes"), "{get}");
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent() {
    let edge = Edge::new(None).await;
    let first = edge.ask("GET", "/digits", "").await;
    let header = |name: &str| {
        let line = first.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_once(": ").unwrap().1.to_owned()
    };
    let (etag, modified) = (header("etag"), header("last-modified"));
    for known in [format!("If-Modified-Since: {modified}\r\n"), format!("If-None-Match: {etag}\r\n")] {
        let answer = edge.ask("GET", "/digits", &known).await;
        assert!(answer.starts_with("HTTP/1.1 304") && answer.ends_with("\r\n\r\n"), "{known}: {answer}");
    }
    let old = edge.ask("GET", "/digits", "If-Modified-Since: Mon, 01 Jan 2001 00:00:00 GMT\r\n").await;
    assert!(old.starts_with("HTTP/1.1 200"), "{old}");
    let both = format!("If-Modified-Since: {modified}\r\nIf-None-Match: \"other\"\r\n");
    assert!(edge.ask("GET", "/digits", &both).await.starts_with("HTTP/1.1 200"), "the tag decides");
}

#[tokio::test]
async fn functions_get_the_query_and_are_interrupted() {
    let code = "function handler(event) { var r = event.request; if (r.querystring.for) { while (true) {} } \
                return { statusCode: 302, headers: { location: { value: '/' + r.querystring.to.value } } }; }";
    let edge = Edge::new(Some(code)).await;
    let moved = edge.ask("GET", "/x?to=there&a=b", "").await;
    assert!(moved.contains("location: /there\r\n"), "{moved}");
    let ever = edge.ask("GET", "/x?for=ever", "").await;
    assert!(ever.starts_with("HTTP/1.1 503"), "{ever}");
    assert!(edge.ask("GET", "/x?to=there", "").await.starts_with("HTTP/1.1 302"), "others are served");
}

#[tokio::test]
async fn texts_are_compressed_as_the_viewer_accepts() {
    let edge = Edge::new(None).await;
    let plain = "text ".repeat(1000);
    for (accepted, encoding) in
        [("br", "br"), ("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", "")]
    {
        let request = format!("GET /long HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: {accepted}\r\n", edge.host);
        let answer = exchange_bytes(edge.address, &format!("{request}Connection: close\r\n\r\n")).await;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let (head, body) = (String::from_utf8_lossy(&answer[..end]), &answer[end..]);
        let mut text = String::new();
        match encoding {
            "br" => brotli::Decompressor::new(body, 4096).read_to_string(&mut text).unwrap(),
            "gzip" => flate2::read::GzDecoder::new(body).read_to_string(&mut text).unwrap(),
            _ => body.to_vec().as_slice().read_to_string(&mut text).unwrap(),
        };
        assert_eq!(text, plain, "{accepted}");
        assert_eq!(head.contains(&format!("content-encoding: {encoding}\r\n")), !encoding.is_empty(), "{head}");
        assert!(encoding.is_empty() || body.len() < 500, "{head}");
    }
}
