//! The function. At viewer-request, it answers the edge check, so that the check measures CloudFront and no origin. It has visitors served
//! from the origin that the key value store says: a failover by hand without a control plane. It answers by the redirect table of the
//! store. With private origins it also finds the index
//! documents of folders, which website endpoints support and S3's REST API does not. At viewer-response, it adds the headers of the store's
//! header rules.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-functions.html>,
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/helper-functions-origin-modification.html>

use twinsite_core::{Domain, Side, probe};
use twinsite_rules::{ALIAS_FUNCTION_CODE, AUTH_CODE, FUNCTION_CODE};

use super::minify::minified;
use super::{Desired, ORIGIN_KEY};

/// The function's code.
pub(crate) fn viewer_request_code(desired: &Desired) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let folders = if desired.has_private_origins() { FOLDERS } else { "" };
    let is_open = desired.auth.is_empty();
    let (imports, authentication) =
        if is_open { ("", UNPROTECTED) } else { ("const crypto = require('crypto');", AUTH_CODE) };
    // In a header, a quotation mark would end the realm; a domain has none.
    let realm = format!("Basic realm=\"{}\", charset=\"UTF-8\"", desired.site.domain);
    let names: Vec<&str> = desired.site.aliases.iter().map(Domain::as_str).collect();
    // Where HTTP is not redirected to HTTPS, visitors stay with the protocol that they came with.
    let scheme = if desired.redirect_to_https { "https:" } else { "" };
    let location = format!("{scheme}//{}", desired.site.domain);
    let values = [
        ("NAMES", serde_json::Value::from(names).to_string()),
        ("LOCATION", quoted(&location)),
        ("EDGE_PATH", quoted(&format!("/{}", probe::EDGE))),
        ("ORIGIN_PATH", quoted(&format!("/{}", probe::ORIGIN))),
        ("TABLE_QUERY", quoted(probe::TABLE_QUERY)),
        ("TABLE_ABSENT", quoted(probe::TABLE_ABSENT)),
        ("TABLE_UNREADABLE", quoted(probe::TABLE_UNREADABLE)),
        ("ORIGIN_KEY", quoted(ORIGIN_KEY)),
        ("BACKUP_ID", quoted(&Side::Backup.to_string())),
        ("WORD", quoted(&desired.site.health_word())),
        ("IS_APP", desired.spa.to_string()),
        ("HAS_CLEAN_URLS", desired.clean_urls.to_string()),
        ("INDEX", quoted(&desired.index)),
        ("REALM", quoted(&realm)),
        ("AUTH", desired.auth.code()),
    ];
    let has_aliases = !desired.site.aliases.is_empty();
    let code = if desired.has_store() {
        format!("{}\n{authentication}", CODE.replace("FOLDERS", folders).replacen("IMPORTS", imports, 1))
    } else {
        REDIRECTS_ONLY.to_owned()
    };
    let code = code.replace("ALIASES", if has_aliases { ALIASES } else { "" });
    let code = values.into_iter().fold(code, |code, (name, value)| code.replace(name, &value));
    let code = if desired.has_store() { format!("{code}\n{FUNCTION_CODE}") } else { code };
    let code = if has_aliases { format!("{code}\n{ALIAS_FUNCTION_CODE}") } else { code };
    minified(&code, &["handler"])
}

/// The store is read anew for each request. A store that cannot be read, and a value that means nothing, leave everything as it is
/// without a failover. A visitor is always sent to the same side, by the address.
///
/// A path that cannot be decoded is answered as S3 does. `rules` in the query of the origin's path asks for the digest of the redirect
/// table instead: `none` without one, and `unreadable` if the store cannot be read.
const CODE: &str = r"import cf from 'cloudfront';
IMPORTS
function respond(status, text) {
  return {
    statusCode: status,
    headers: { 'content-type': { value: 'text/plain' }, 'cache-control': { value: 'no-store' } },
    body: { encoding: 'text', data: text },
  };
}

function found(location) {
  return {
    statusCode: 302,
    statusDescription: 'Found',
    headers: { location: { value: location }, 'cache-control': { value: 'max-age=300' } },
  };
}

async function originChoice() {
  try {
    var value = await cf.kvs().get(ORIGIN_KEY);
    return value === 'backup' || /^[1-9][0-9]?% primary$/.test(value) ? value : 'primary';
  } catch (error) {
    return 'primary';
  }
}

function isForBackup(choice, ip) {
  if (choice === 'backup' || choice === 'primary') return choice === 'backup';
  var hash = 0;
  for (var i = 0; i < ip.length; i++) hash = (hash * 31 + ip.charCodeAt(i)) % 1000003;
  return hash % 100 >= parseInt(choice, 10);
}

async function handler(event) {
  var request = event.request;
  var uri = request.uri;
  if (event.context.eventType === 'viewer-response') {
    return sealed(uri, await withHeaders(uri, withQuery(request, event.response), INDEX, await tableHead()));
  }
  if (uri === EDGE_PATH) return respond(200, WORD);
  var choice = await originChoice();
  var head = await tableHead();
  if (uri === ORIGIN_PATH) {
    return respond(200, request.querystring[TABLE_QUERY] ? (head ? head[1] : head === null ? TABLE_ABSENT : TABLE_UNREADABLE) : choice);
  }
ALIASES  var result = await resultOf(request, head);
  if (result.statusCode) return sealed(uri, await withHeaders(uri, result, INDEX, head));
  if (isForBackup(choice, event.viewer.ip)) {
    try {
      cf.selectRequestOriginById(BACKUP_ID);
    } catch (error) {
      console.log('the origin could not be selected: ' + error);
    }
  }
  return result;
}

// Website endpoints redirect to folders without the query.
function withQuery(request, response) {
  var location = response.headers.location;
  if (response.statusCode === 302 && location) {
    var path = location.value.replace(/^https?:\/\/[^\/]+/, '');
    if (canonical(path) === canonical(request.uri) + '/') location.value += queryOf(request);
  }
  return response;
}

async function resultOf(request, head) {
  try {
    decodeURIComponent(request.uri);
  } catch (error) {
    return respond(400, 'Bad Request');
  }
  var asked = request.uri;
  var denied = await denial(request, asked, head);
  if (denied) return denied;
  var result = await pathOf(request, head);
  if (result.statusCode || result.uri === asked) return result;
  return (await denial(request, result.uri, head)) || result;
}

function isNavigation(headers) {
  var mode = headers['sec-fetch-mode'];
  if (mode) return mode.value === 'navigate';
  return !!headers.accept && headers.accept.value.indexOf('text/html') !== -1;
}

async function pathOf(request, head) {
  var redirect = await redirectFor(request, head);
  if (redirect && redirect.statusCode) return redirect;
  var uri = request.uri.replace(/%2f/gi, '/').replace(/\+/g, '%2B');
  request.uri = uri;
  if (uri.startsWith('//') || uri.startsWith('/.well-known/')) return request;
  var hasSlash = uri.endsWith('/');
  var path = hasSlash ? uri.slice(0, -1) : uri;
  var hasDot = /[.]|%2e/i.test(path.slice(path.lastIndexOf('/')));
  var options = (head && head[5]) || '';
  var kind = path === '' || (hasSlash && !options) ? 'd' : await kindOf(path, head);
  if (hasSlash ? kind === 'f' && options.indexOf('s') !== -1 : kind === 'd') {
    return found(canonical(path) + (hasSlash ? '' : '/') + queryOf(request));
  }
  var isApp = kind === '' ? options.indexOf('p') !== -1 : kind === null && IS_APP;
  if (isApp && !hasDot && isNavigation(request.headers)) request.uri = '/' + INDEX;
FOLDERS  return request;
}
";

/// Health checks and failover by hand are answered before: they are the same for every name.
const ALIASES: &str = r"  var elsewhere = redirectOfAlias(request, NAMES, LOCATION);
  if (elsewhere) return elsewhere;
";

/// In mode `dns`, visitors of aliases are redirected, and nothing else happens.
const REDIRECTS_ONLY: &str = r"async function handler(event) {
  var request = event.request;
ALIASES  return request;
}
";

/// Without protected paths.
const UNPROTECTED: &str = "function denial() { return null; }\nfunction sealed(uri, response) { return response; }\n";

/// With private origins, the function finds index documents. A name without a dot that the table does not have may be that of a folder
/// that was published a moment ago: its index document is served, if there is one. Without a table, names tell; if the store cannot be
/// read, the configuration does. What is below the reserved prefix is a missing page, as at website endpoints, and not a forbidden one.
const FOLDERS: &str = r"  else if (decodeURIComponent(uri).startsWith('/.twinsite/')) request.uri = '/.twinsite';
  else if (hasSlash) request.uri = uri + INDEX;
  else if (kind === '' && !hasDot) request.uri = uri + '/' + INDEX;
  else if (kind === null && !hasDot && !(head === undefined && HAS_CLEAN_URLS)) return found(canonical(uri) + '/' + queryOf(request));
";

#[cfg(test)]
mod tests {
    use twinsite_core::{Mode, Pair, Site};
    use twinsite_rules::{PasswordHash, ProtectedPath};

    use super::*;

    fn desired(mode: Mode, index: &str) -> Desired {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let site = Site::new("www.example.com".parse().unwrap(), mode, "111122223333".parse().unwrap(), regions);
        Desired { index: index.to_owned(), ..Desired::new(site.unwrap()) }
    }

    fn code(mode: Mode, index: &str) -> String {
        viewer_request_code(&desired(mode, index))
    }

    /// The code for a site with as many and as long aliases as there may be.
    fn aliased(mode: Mode) -> String {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let site = Site::new("www.example.com".parse().unwrap(), mode, "111122223333".parse().unwrap(), regions);
        let aliases = (0..Site::MAX_ALIASES).map(|n| format!("a{n}{}.example.com", "x".repeat(49)).parse().unwrap());
        viewer_request_code(&Desired::new(site.unwrap().with_aliases(aliases.collect()).unwrap()))
    }

    #[test]
    fn the_index_document_is_a_string_in_the_code_and_it_stays_small() {
        assert!(code(Mode::Origin, "it's \"odd\"").contains(r#"+"it's \"odd\"";"#));
        // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
        let longest = code(Mode::Origin, &"i".repeat(100));
        assert!(longest.len() < 10 * 1024, "the maximum size of a function: {}", longest.len());
        let target = r#""https://www.example.com""#;
        assert!(!code(Mode::Origin, "index.html").contains(target), "without aliases");
        for mode in [Mode::Origin, Mode::Layered] {
            let all = aliased(mode);
            assert!(all.len() < 10 * 1024, "{mode}, with all aliases: {}", all.len());
            assert!(all.contains(target), "{all}");
        }
        let alone = aliased(Mode::Dns);
        assert!(alone.len() < 2048 && !alone.contains("import") && alone.contains(r#""//www.example.com""#), "{alone}");
    }

    #[test]
    fn protected_paths_are_in_the_code_and_hashes_are_not() {
        let mut desired = desired(Mode::Origin, &"i".repeat(100));
        let hash = PasswordHash::new("correct horse battery", [5; 16]);
        for n in 0..10 {
            let path = format!("/{n}{}/:any/*", "x".repeat(50));
            let users = [("alice".to_owned(), hash.clone())].into();
            desired.auth.add(ProtectedPath::new(&path, users).unwrap()).unwrap();
        }
        let code = viewer_request_code(&desired);
        assert!(code.len() < 10 * 1024, "the maximum size of a function: {}", code.len());
        assert!(
            code.contains("require('crypto')") && !code.contains("hmac-sha256") && !code.contains(&"05".repeat(16))
        );
        assert!(!viewer_request_code(&Desired::new(desired.site)).contains("crypto"));
    }
}
