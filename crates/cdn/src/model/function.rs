//! The viewer-request function. It answers the edge check, so that the check measures CloudFront and no origin. With private origins it
//! also finds the index documents of folders, which website endpoints support and S3's REST API does not.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-functions.html>

use twinsite_core::probe;

use super::Desired;

/// The function's code.
pub(crate) fn viewer_request_code(desired: &Desired) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let folders = if desired.has_private_origins() { FOLDERS } else { "" };
    let code = CODE.replace("FOLDERS", folders).replace("INDEX", &quoted(&desired.index));
    code.replace("EDGE", &quoted(&format!("/{}", probe::EDGE))).replace("WORD", &quoted(&desired.site.health_word()))
}

const CODE: &str = r"function handler(event) {
  var request = event.request;
  if (request.uri === EDGE) {
    return {
      statusCode: 200,
      statusDescription: 'OK',
      headers: { 'content-type': { value: 'text/plain' }, 'cache-control': { value: 'no-store' } },
      body: { encoding: 'text', data: WORD },
    };
  }
FOLDERS  return request;
}
";

/// Leading slashes are collapsed into one: otherwise `//example.org/x` would redirect to another host.
const FOLDERS: &str = r"  var uri = request.uri.replace(/^\/+/, '/');
  request.uri = uri;
  if (uri.indexOf('/.well-known/') === 0) return request;
  if (uri.endsWith('/')) {
    request.uri = uri + INDEX;
    return request;
  }
  var name = uri.substring(uri.lastIndexOf('/') + 1);
  if (name.indexOf('.') === -1) {
    var query = [];
    for (var key in request.querystring) {
      var value = request.querystring[key];
      var all = value.multiValue || [value];
      for (var i = 0; i < all.length; i++) query.push(key + (all[i].value === '' ? '' : '=' + all[i].value));
    }
    return {
      statusCode: 302,
      statusDescription: 'Found',
      headers: {
        location: { value: uri + '/' + (query.length ? '?' + query.join('&') : '') },
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

    #[test]
    fn the_index_document_is_a_string_in_the_code_and_it_stays_small() {
        assert!(code(Mode::Origin, "index.html").contains("uri + \"index.html\";"));
        assert!(code(Mode::Origin, "it's \"odd\"").contains(r#"uri + "it's \"odd\"";"#));
        assert!(code(Mode::Origin, "index.html").len() < 10 * 1024, "the maximum size of a function");
        assert!(!code(Mode::Layered, "index.html").contains("index.html"), "website endpoints have index documents");
    }
}
