//! `_redirects` and `_headers` as people write them, with their mistakes.

#![allow(clippy::unwrap_used, clippy::format_collect, missing_docs)]

use twinsite_rules::{
    Files, FindingKind, Paths, RedirectObject, Redirects, Syntax, Table, TableSource, WebsiteRedirects, parse_headers,
    parse_redirects,
};

fn rules(text: &str) -> Redirects {
    let parsed = parse_redirects(text, Syntax::Netlify).unwrap();
    assert_eq!(parsed.unsupported, []);
    parsed.redirects
}

fn faults(text: &str) -> Vec<String> {
    let errors = parse_redirects(text, Syntax::Netlify).unwrap_err();
    errors.0.iter().map(ToString::to_string).collect()
}

#[test]
fn lines_that_cannot_be_understood_are_told_with_line_and_column() {
    let text = "/a /b\n\n  old /new\n/c\n/d 301\n/e /f 418\n/g /h 301 often\n/i id=1 id=2 /j\n/ü =x /k\n";
    assert_eq!(
        faults(text),
        [
            "_redirects:3:3: `old`: a rule starts with a path, such as `/old`",
            "_redirects:4:3: the rule has no target",
            "_redirects:5:4: the rule has no target before the status `301`",
            "_redirects:6:7: `418` is not a status of redirects: one of 200, 301, 302, 303, 307, 308, 404",
            "_redirects:7:11: `often` is neither a status nor a condition",
            "_redirects:8:9: the query parameter `id` is named twice",
            "_redirects:9:4: `=x`: a condition on the query is NAME=VALUE or NAME=:PLACEHOLDER",
        ]
    );
    assert!(faults(&format!("/a /{}", "b".repeat(3000)))[0].starts_with("_redirects:1:2001: the line is longer"));
    assert!(parse_redirects([b'/', b'a', b'\n', 0xff], Syntax::Netlify).unwrap_err().to_string().contains(":2:1:"));
    assert!(parse_redirects(vec![b'#'; 3 << 20], Syntax::Netlify).is_err());
}

#[test]
fn what_is_not_supported_is_told_rule_by_rule() {
    let text = "/api/*  https://api.example.com/:splat  200\n\
                / /anz 302 Country=au,nz\n\
                /de/* /en/:splat 302 Language=en\n\
                /admin/* /admin/:splat 200! Role=admin\n\
                http://blog.example.com/* https://www.example.com/blog/:splat 301!\n\
                /en/* /en/404.html 404\n\
                /a/*/b /c\n\
                /x/:id.html /y/:id\n\
                /go/* https://:splat 301\n\
                /p /q/:nothing\n\
                /u //evil.example/\n\
                /.well-known/twinsite/edge.txt /x\n\
                /store?id=1 /x\n\
                /fine /x\n";
    let parsed = parse_redirects(text, Syntax::Netlify).unwrap();
    let told: Vec<usize> = parsed.unsupported.iter().map(|one| one.place.line).collect();
    assert_eq!((told, parsed.redirects.rules().len()), ((1..=13).collect(), 1));
    for (index, part) in [
        (0, "proxying to another host"),
        (1, "conditions on Country"),
        (2, "conditions on Language"),
        (3, "conditions on Role"),
        (4, "other hosts"),
        (5, "404"),
        (6, "`*` is supported at the end"),
        (7, "whole segment only"),
        (8, "in the host"),
        (9, ":nothing"),
        (11, "reserved"),
        (12, "neither `?`"),
    ] {
        assert!(parsed.unsupported[index].reason.contains(part), "{:?}", parsed.unsupported[index]);
    }
}

#[test]
fn pages_and_netlify_differ_in_their_defaults() {
    let text = "/a /b\n/c /d 301\n";
    let status = |syntax| {
        let rules = parse_redirects(text, syntax).unwrap().redirects;
        rules.rules().iter().map(twinsite_rules::Redirect::status).collect::<Vec<_>>()
    };
    assert_eq!((status(Syntax::Netlify), status(Syntax::CloudflarePages)), (vec![301, 301], vec![302, 301]));
    let query = parse_redirects("/a id=1 /b", Syntax::CloudflarePages).unwrap();
    assert_eq!(query.unsupported.len(), 1);
}

#[test]
fn loops_duplicates_and_shadowed_rules_are_found() {
    let text = "/a /b\n/b /c\n/c /a\n\
                /dup /x\n/dup/ /y\n\
                /docs/* /manual/:splat\n/docs/special /s\n/docs/forced /s 301!\n\
                /page /other\n\
                /grow/* /grow/more/:splat\n\
                /q id=:id /q2/:id\n/q /q3\n\
                /any/:x /t\n/any/fixed /t\n";
    let files = Files::of_keys(["page/index.html"], "index.html");
    let found = rules(text).findings(&files, "www.example.com");
    let told: Vec<String> = found.iter().map(|one| format!("{} {}", one.place.line, one.kind)).collect();
    assert_eq!(
        told,
        [
            "1 redirects in a circle: /a -> /b -> /c -> /a",
            "2 redirects in a circle: /b -> /c -> /a -> /b",
            "3 redirects in a circle: /c -> /a -> /b -> /c",
            "5 never applies: the rule of _redirects:4 is about the same path",
            "7 never applies: the rule of _redirects:6 applies to all of its paths",
            "9 never applies: the site has a file there",
            "10 redirects in a circle: /grow/example -> /grow/more/example -> /grow/more/more/example -> \
             /grow/more/more/more/example -> …",
            "14 never applies: the rule of _redirects:13 applies to all of its paths",
        ]
    );
    // Absolute URLs of the site are paths of the site.
    for (text, is_loop) in [
        ("/h https://www.example.com/h", true),
        ("/h https://www.example.com:443/h#top", true),
        ("/h https://WWW.example.com:443/h#top", true),
        ("/a http://www.example.com/b\n/b /a", true),
        ("/* https://www.example.com/en/:splat", true),
        ("/ https://www.example.com", true),
        ("/h https://www.example.com.evil/h", false),
        ("/h https://example.com/h", false),
        ("/h https://www.example.com:8443/h", false),
        ("/h /x//www.example.com/h", false),
    ] {
        let found = rules(text).findings(&files, "www.example.com");
        assert_eq!(found.iter().any(|one| one.kind.is_loop()), is_loop, "{text}: {found:?}");
    }
    assert!(found[0].kind.is_loop() && !matches!(found[3].kind, FindingKind::Loop(_)));
    // Rules that only add a slash are left out, as by Netlify.
    let mut slashes = rules("/about /about/ 301\n/about2/ /about2\n/about3 /about4\n");
    assert_eq!((slashes.take_slash_rules().len(), slashes.rules().len()), (2, 1));
}

#[test]
fn website_endpoints_redirect_single_paths_and_the_rest_is_told() {
    let text = "/old /new\n/caf%C3%A9 /coffee?x=1\n/ /start\n/temporary /t 302\n/blog/* /news/:splat\n/q id=1 /x\n/rw /index.html 200\n\
                /taken /gone 301!\n/news/x /y 301\n/blog/x /z\n";
    let files = Files::of_keys(["taken"], "index.html");
    let WebsiteRedirects { objects, not_honored } = WebsiteRedirects::compile(&rules(text), &files, "index.html");
    let object = |key: &str, location: &str| RedirectObject { key: key.to_owned(), location: location.to_owned() };
    assert_eq!(
        objects,
        [
            object("café", "/coffee?x=1"),
            object("café/index.html", "/coffee?x=1"),
            object("index.html", "/start"),
            object("news/x", "/y"),
            object("news/x/index.html", "/y"),
            object("old", "/new"),
            object("old/index.html", "/new"),
        ]
    );
    let told: Vec<(usize, bool)> = not_honored.iter().map(|one| (one.place.line, one.in_part)).collect();
    assert_eq!(
        told,
        [(1, true), (3, true), (4, false), (5, false), (6, false), (7, false), (8, false), (9, true), (10, false)]
    );
    for (index, part) in
        [(0, "without the query"), (2, "301 only"), (3, "single paths"), (4, "query"), (5, "rewrite"), (6, "a file")]
    {
        assert!(not_honored[index].reason.contains(part), "{:?}", not_honored[index]);
    }
}

#[test]
fn tables_are_read_as_they_are_written_and_never_touch_other_keys() {
    let (table, _) = Table::compile(TableSource {
        redirects: &rules("/a /b\n/c/* /d\n"),
        files: &Files::of_keys(["c/x.html"], "index.html"),
        headers: &[],
        paths: Paths::Unlisted,
    });
    assert_eq!(Table::from_text(table.to_text().as_bytes()).unwrap(), table);
    let head = &table.keys()["redirects"];
    assert!(head.starts_with("1 ") && head.ends_with(" 2 0 0"), "{head}");
    assert_eq!(table.keys()["/c/x.html"], "[0]");
    for text in [
        r#"{"version":1,"keys":{"origin":"backup"}}"#,
        r#"{"version":1,"keys":{"site":"x"}}"#,
        r#"{"version":2,"keys":{}}"#,
        "",
        "[]",
    ] {
        assert!(Table::from_text(text.as_bytes()).is_err(), "{text}");
    }
    assert!(
        Table::compile(TableSource {
            redirects: &Redirects::default(),
            files: &Files::of_keys(["a"], "index.html"),
            headers: &[],
            paths: Paths::Unlisted
        })
        .0
        .is_empty()
    );
}

#[test]
fn headers_are_read_with_their_mistakes() {
    let text = "# a comment\n/templates/*\n  X-Frame-Options: DENY\n  Cache-Control: public, max-age=60\n/x\n  ! Cache-Control\n";
    let parsed = parse_headers(text).unwrap();
    let lines: Vec<(&str, usize)> = parsed.rules.iter().map(|rule| (rule.path.as_str(), rule.lines.len())).collect();
    assert_eq!(lines, [("/templates/*", 2), ("/x", 1)]);
    assert_eq!(parsed.rules[1].lines[0].value, None);
    let errors = parse_headers("  A: b\n/x\n  no colon\n  B C: d\n  E:\n").unwrap_err();
    let told: Vec<String> = errors.0.iter().map(|error| format!("{}:{}", error.line, error.column)).collect();
    assert_eq!(told, ["1:3", "3:3", "4:3", "5:3"]);
}
