//! The function. At viewer-request, it answers the edge check, so that the check measures CloudFront and no origin. It has visitors served
//! from the origin that the key value store says: a failover by hand without a control plane. It answers by the redirect table of the
//! store. With private origins it also finds the index
//! documents of folders, which website endpoints support and S3's REST API does not. At viewer-response, it adds the headers of the store's
//! header rules.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-functions.html>,
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/helper-functions-origin-modification.html>

use twinsite_core::{Domain, Side, probe};
use twinsite_rules::{ALIAS_FUNCTION_CODE, FUNCTION_CODE};

use super::{Desired, ORIGIN_KEY};

/// The function's code.
pub(crate) fn viewer_request_code(desired: &Desired) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let folders = if desired.has_private_origins() { FOLDERS } else { "" };
    let names: Vec<&str> = desired.site.aliases.iter().map(Domain::as_str).collect();
    // Where HTTP is not redirected to HTTPS, visitors stay with the protocol that they came with.
    let scheme = if desired.redirect_to_https { "https:" } else { "" };
    let location = format!("{scheme}//{}", desired.site.domain);
    let values = [
        ("NAMES", serde_json::Value::from(names).to_string()),
        ("LOCATION", quoted(&location)),
        ("EDGE_PATH", quoted(&format!("/{}", probe::EDGE))),
        ("ORIGIN_PATH", quoted(&format!("/{}", probe::ORIGIN))),
        ("ORIGIN_KEY", quoted(ORIGIN_KEY)),
        ("BACKUP_ID", quoted(&Side::Backup.to_string())),
        ("WORD", quoted(&desired.site.health_word())),
        ("INDEX", quoted(&desired.index)),
    ];
    let redirect = if desired.site.aliases.is_empty() { "" } else { ALIASES };
    let code = if desired.has_store() { CODE } else { REDIRECTS_ONLY };
    let code = code.replace("FOLDERS", folders).replace("ALIASES", redirect);
    let code = values.into_iter().fold(code, |code, (name, value)| code.replace(name, &value));
    let code = if desired.has_store() { format!("{code}\n{FUNCTION_CODE}") } else { code };
    let code = if desired.site.aliases.is_empty() { code } else { format!("{code}\n{ALIAS_FUNCTION_CODE}") };
    // The size is limited, and comments and indentation are for readers.
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The store is read anew for each request. A store that cannot be read, and a value that means nothing, leave everything as it is
/// without a failover. A visitor is always sent to the same side, by the address.
const CODE: &str = r"import cf from 'cloudfront';

function answer(text) {
  return {
    statusCode: 200,
    statusDescription: 'OK',
    headers: { 'content-type': { value: 'text/plain' }, 'cache-control': { value: 'no-store' } },
    body: { encoding: 'text', data: text },
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
  if (event.context.eventType === 'viewer-response') return withHeaders(request, event.response, INDEX);
  if (request.uri === EDGE_PATH) return answer(WORD);
  var choice = await originChoice();
  if (request.uri === ORIGIN_PATH) return answer(choice);
ALIASES  var head = await tableHead();
  var redirect = await redirectFor(request, head);
  if (redirect && redirect.statusCode) return redirect;
  if (isForBackup(choice, event.viewer.ip)) {
    try {
      cf.selectRequestOriginById(BACKUP_ID);
    } catch (error) {
      console.log('the origin could not be selected: ' + error);
    }
  }
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

/// Leading slashes are collapsed into one: otherwise `//example.org/x` would redirect to another host. The table tells folders from files.
/// A name without a dot that it does not have may be that of a folder that was published a moment ago: its index document is served, if
/// there is one. Without a table, names tell.
const FOLDERS: &str = r"  var uri = request.uri.replace(/^\/+/, '/');
  request.uri = uri;
  if (uri.indexOf('/.well-known/') === 0) return request;
  if (uri.endsWith('/')) {
    request.uri = uri + INDEX;
    return request;
  }
  var hasDot = uri.indexOf('.', uri.lastIndexOf('/')) !== -1;
  var kind = await kindOf(uri, head);
  if (kind === '' && !hasDot) {
    request.uri = uri + '/' + INDEX;
    return request;
  }
  if (kind === null ? !hasDot : kind === 'd') {
    return {
      statusCode: 302,
      statusDescription: 'Found',
      headers: {
        location: { value: uri + '/' + queryOf(request) },
        'cache-control': { value: 'max-age=300' },
      },
    };
  }
";

#[cfg(test)]
mod tests {
    use twinsite_core::{Mode, Pair, Site};

    use super::*;

    fn code(mode: Mode, index: &str) -> String {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let site = Site::new("www.example.com".parse().unwrap(), mode, "111122223333".parse().unwrap(), regions);
        viewer_request_code(&Desired { index: index.to_owned(), ..Desired::new(site.unwrap()) })
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
        assert!(code(Mode::Origin, "index.html").contains("uri + \"index.html\";"));
        assert!(code(Mode::Origin, "it's \"odd\"").contains(r#"uri + "it's \"odd\"";"#));
        // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
        let longest = code(Mode::Origin, &"i".repeat(100));
        assert!(longest.len() < 10 * 1024, "the maximum size of a function: {}", longest.len());
        assert_eq!(code(Mode::Origin, "index.html").matches("redirectOfAlias").count(), 0, "without aliases");
        for mode in [Mode::Origin, Mode::Layered] {
            let all = aliased(mode);
            assert!(all.len() < 10 * 1024, "{mode}, with all aliases: {}", all.len());
            assert_eq!(all.matches("redirectOfAlias").count(), 2);
        }
        let alone = aliased(Mode::Dns);
        assert!(alone.len() < 2048 && !alone.contains("import") && alone.contains(r#""//www.example.com""#), "{alone}");
        let layered = code(Mode::Layered, "index.html");
        assert_eq!(layered.matches("index.html").count(), 1, "website endpoints have index documents: {layered}");
    }
}
