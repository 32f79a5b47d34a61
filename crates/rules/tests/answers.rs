//! The interpreter and the function in CloudFront's runtime agree with tables that were written from the documentation of Netlify and of
//! Cloudflare Pages.

#![allow(clippy::unwrap_used, clippy::format_collect, missing_docs)]

use proptest::prelude::*;
use rquickjs::{CatchResultExt, Context, Module, Promise, Runtime};
use serde_json::{Value, json};
use twinsite_rules::{
    ALIAS_FUNCTION_CODE, Answer, FUNCTION_CODE, Files, Paths, Redirects, Syntax, Table, TableSource, parse_redirects,
};

struct Case<'t> {
    url: &'t str,
    answer: &'t str,
}

struct Cases<'t> {
    redirects: Redirects,
    files: Files,
    all: Vec<Case<'t>>,
}

fn read(text: &str, syntax: Syntax) -> Cases<'_> {
    let part = |name: &str| {
        let rest = text.split_once(&format!("## {name}\n")).unwrap().1;
        rest.split("\n## ").next().unwrap()
    };
    let parsed = parse_redirects(part("rules"), syntax).unwrap();
    assert_eq!(parsed.unsupported, []);
    let cases = part("answers").lines().map(|line| line.split_once(' ').unwrap());
    let cases: Vec<Case<'_>> = cases.map(|(url, answer)| Case { url, answer }).collect();
    Cases { redirects: parsed.redirects, files: Files::of_keys(part("files").lines(), "index.html"), all: cases }
}

fn netlify() -> Cases<'static> {
    read(include_str!("cases/netlify.txt"), Syntax::Netlify)
}

fn pages() -> Cases<'static> {
    read(include_str!("cases/cloudflare-pages.txt"), Syntax::CloudflarePages)
}

fn parts(url: &str) -> [&str; 2] {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    [path, query]
}

/// The interpreter's answer as the tables write it.
fn resolved(cases: &Cases<'_>, url: &str) -> String {
    let [path, query] = parts(url);
    match cases.redirects.resolve(path, query, &cases.files) {
        Some(Answer::Redirect { status, location }) => format!("{status} {location}"),
        Some(Answer::Rewrite { path }) => format!("200 {path}"),
        None => "-".to_owned(),
    }
}

/// The query as CloudFront hands it to functions.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html>
fn query_of(query: &str) -> String {
    let mut all: Vec<(&str, Vec<Value>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(json!({"value": value})),
            None => all.push((name, vec![json!({"value": value})])),
        }
    }
    let entry = |(name, values): &(&str, Vec<Value>)| {
        let mut entry = values[0].clone();
        if values.len() > 1 {
            entry["multiValue"] = json!(values);
        }
        format!("{}: {entry}", json!(name))
    };
    format!("{{{}}}", all.iter().map(entry).collect::<Vec<_>>().join(", "))
}

/// The answers of the function's code with the compiled table.
fn answered(cases: &Cases<'_>) -> Vec<String> {
    let (table, not_honored) = Table::compile(TableSource {
        redirects: &cases.redirects,
        files: &cases.files,
        headers: &[],
        paths: Paths::Unlisted,
    });
    assert_eq!(not_honored, []);
    let events: Vec<String> = cases
        .all
        .iter()
        .map(|case| {
            let [path, query] = parts(case.url);
            format!("{{\"uri\": {}, \"querystring\": {}}}", json!(path), query_of(query))
        })
        .collect();
    let store = json!(table.keys());
    let code = format!(
        "const store = {store};\n\
         const cf = {{ kvs: () => ({{ get: async (key) => {{ if (!Object.hasOwn(store, key)) throw new Error('KeyNotFound'); \
         return store[key]; }} }}) }};\n{FUNCTION_CODE}\n\
         export const result = (async () => {{ const all = []; for (const request of [{}]) {{ \
         const answer = await redirectFor(request, await tableHead()); all.push(answer === null ? '-' : answer.statusCode ? \
         answer.statusCode + ' ' + answer.headers.location.value : '200 ' + answer.uri); }} return JSON.stringify(all); }})();",
        events.join(", ")
    );
    let runtime = Runtime::new().unwrap();
    let json = Context::full(&runtime).unwrap().with(|ctx| {
        let run = || {
            let (module, evaluated) = Module::declare(ctx.clone(), "main", code)?.eval()?;
            evaluated.finish::<()>()?;
            module.get::<_, Promise<'_>>("result")?.finish::<String>()
        };
        run().catch(&ctx).map_err(|error| error.to_string()).unwrap()
    });
    serde_json::from_str(&json).unwrap()
}

#[test]
fn the_interpreter_answers_as_documented() {
    for cases in [netlify(), pages()] {
        let wrong = cases.all.iter().filter_map(|case| {
            let answer = resolved(&cases, case.url);
            (answer != case.answer).then(|| format!("{}: {answer}, expected {}", case.url, case.answer))
        });
        assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn the_function_answers_as_documented() {
    for cases in [netlify(), pages()] {
        let wrong = cases.all.iter().zip(answered(&cases)).filter_map(|(case, answer)| {
            (answer != case.answer).then(|| format!("{}: {answer}, expected {}", case.url, case.answer))
        });
        assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
    }
    assert!(netlify().all.len() >= 80);
}

#[test]
fn no_answer_leads_to_another_host_unless_the_rule_does() {
    for cases in [netlify(), pages()] {
        for case in &cases.all {
            let answer = resolved(&cases, case.url);
            assert!(!answer.contains(" //") && !answer.contains('\\'), "{}: {answer}", case.url);
        }
    }
}

#[test]
fn five_thousand_redirects_fit_and_are_found() {
    let text: String = (0..5000).map(|n| format!("/old/section-{n}/page.html /new/section-{n}/page.html\n")).collect();
    let cases = Cases {
        redirects: parse_redirects(text, Syntax::Netlify).unwrap().redirects,
        files: Files::default(),
        all: vec![Case { url: "/old/section-4711/page.html", answer: "301 /new/section-4711/page.html" }],
    };
    let (table, _) = Table::compile(TableSource {
        redirects: &cases.redirects,
        files: &cases.files,
        headers: &[],
        paths: Paths::Unlisted,
    });
    assert_eq!(table.keys().len(), 5001);
    assert_eq!(answered(&cases), [cases.all[0].answer]);
}

#[test]
fn values_that_are_too_long_are_continued() {
    // A hundred rules with placeholders, all of them in one list.
    let text: String =
        (0..100).map(|n| format!("/:any/number-{n}/* /target-of-rule-number-{n}/:any/:splat\n")).collect();
    let mut cases = Cases {
        redirects: parse_redirects(text, Syntax::Netlify).unwrap().redirects,
        files: Files::default(),
        all: vec![
            Case { url: "/x/number-0/y", answer: "301 /target-of-rule-number-0/x/y" },
            Case { url: "/x/number-99/y", answer: "301 /target-of-rule-number-99/x/y" },
        ],
    };
    let (table, _) = Table::compile(TableSource {
        redirects: &cases.redirects,
        files: &cases.files,
        headers: &[],
        paths: Paths::Unlisted,
    });
    assert!(table.keys().len() > 5);
    assert!(table.keys().iter().all(|(key, value)| key.len() <= 512 && value.len() <= 1024));
    assert_eq!(answered(&cases), ["301 /target-of-rule-number-0/x/y", "301 /target-of-rule-number-99/x/y"]);
    // The hundred and first is told.
    let text = "/another/* /x\n";
    cases.redirects.append(parse_redirects(text, Syntax::Netlify).unwrap().redirects);
    let (_, not_honored) = Table::compile(TableSource {
        redirects: &cases.redirects,
        files: &cases.files,
        headers: &[],
        paths: Paths::Unlisted,
    });
    assert_eq!(not_honored.len(), 1);
    assert!(not_honored[0].reason.contains("more than 100"), "{not_honored:?}");
}

#[test]
fn the_code_is_small_and_has_no_syntax_that_functions_lack() {
    assert!(FUNCTION_CODE.len() < 7 * 1024, "{}", FUNCTION_CODE.len());
    // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html>
    for banned in
        ["eval(", "Function(", "setTimeout", "setInterval", "require(", "fetch(", "XMLHttpRequest", "process."]
    {
        assert!(!FUNCTION_CODE.contains(banned) && !ALIAS_FUNCTION_CODE.contains(banned), "{banned}");
    }
}

fn any_rule() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "b", ":x", ":y", "c%2Fd", "é", "x.html", "a+b"]);
    let path = prop::collection::vec(segment, 0..3).prop_map(|segments| format!("/{}", segments.join("/")));
    let end = prop::sample::select(vec!["", "/", "/*"]);
    let query = prop::sample::select(vec!["", "", "", "q=:q ", "q=1 ", "q=:q r=:r "]);
    let target = prop::sample::select(vec![
        "/t",
        "/t/:x",
        "/t/:splat",
        "/:splat",
        "/:x?z=:x",
        "/t#f",
        "https://e.example/:splat",
        "/:q/",
        "/t?u=1#f",
        "/:y:x",
    ]);
    let status = prop::sample::select(vec!["", "302", "200", "301!", "200!", "308"]);
    (path, end, query, target, status).prop_map(|(path, end, query, target, status)| {
        format!("{}{end} {query}{target} {status}\n", path.trim_end_matches('/')).trim_start().to_owned()
    })
}

fn any_url() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec![
        "a", "b", "c%2fd", "c%2Fd", "%C3%A9", "x.html", "", "%", "A", "a%2Bb", "a+b", "..", "%ff",
    ]);
    let query = prop::sample::select(vec!["", "q=1", "q=2&r=3", "q=", "q=a+b", "q=%2F", "q=1&q=2", "r", "r=3&q=%"]);
    (prop::collection::vec(segment, 0..4), query).prop_map(|(segments, query)| {
        let path = format!("/{}", segments.join("/"));
        if query.is_empty() { path } else { format!("{path}?{query}") }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_function_answers_as_the_interpreter_whatever_the_rules_are(
        rules in prop::collection::vec(any_rule(), 1..6),
        urls in prop::collection::vec(any_url(), 30),
        is_netlify in any::<bool>(),
    ) {
        let syntax = if is_netlify { Syntax::Netlify } else { Syntax::CloudflarePages };
        let text = rules.concat();
        let Ok(parsed) = parse_redirects(&text, syntax) else { return Ok(()) };
        let files = Files::of_keys(["index.html", "a/index.html", "b/x.html", "x.html"], "index.html");
        let all = urls.iter().map(|url| Case { url, answer: "" }).collect();
        let cases = Cases { redirects: parsed.redirects, files, all };
        for (case, given) in cases.all.iter().zip(answered(&cases)) {
            let expected = resolved(&cases, case.url);
            prop_assert!(!expected.contains(" //") && !expected.contains('\\'), "{}: {}", case.url, expected);
            prop_assert_eq!(given, expected, "{} by\n{}", case.url, text);
        }
    }

    #[test]
    fn no_file_of_rules_makes_the_parsers_panic(text in "([/:*a#!=. ü%]{0,12}[ \\n]){0,8}") {
        for syntax in [Syntax::Netlify, Syntax::CloudflarePages] {
            if let Ok(mut parsed) = parse_redirects(&text, syntax) {
                parsed.redirects.take_slash_rules();
                let files = Files::of_keys(["a/index.html"], "index.html");
                drop(parsed.redirects.findings(&files, "www.example.com"));
                let (table, _) = Table::compile(TableSource { redirects: &parsed.redirects, files: &files, headers: &[], paths: Paths::Unlisted });
                prop_assert_eq!(&Table::from_text(table.to_text().as_bytes()).unwrap(), &table);
                drop(twinsite_rules::WebsiteRedirects::compile(&parsed.redirects, &files, "index.html"));
            }
        }
        for rule in twinsite_rules::parse_headers(&text).unwrap_or_default().rules {
            drop((rule.globs("index.html"), rule.parts()));
        }
    }
}
