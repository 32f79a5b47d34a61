//! The viewer-request function of distributions with private origins: index documents of folders, which website endpoints
//! support and S3's REST API does not.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-functions.html>

/// The function's code for an index document.
///
/// Leading slashes are collapsed into one: otherwise `//example.org/x` would redirect to another host.
pub(crate) fn viewer_request_code(index: &str) -> String {
    let index = serde_json::Value::from(index).to_string();
    CODE.replace("INDEX", &index)
}

const CODE: &str = r"function handler(event) {
  var request = event.request;
  var uri = request.uri.replace(/^\/+/, '/');
  request.uri = uri;
  if (uri.indexOf('/.well-known/') === 0) return request;
  if (uri.endsWith('/')) {
    request.uri = uri + INDEX;
    return request;
  }
  var name = uri.substring(uri.lastIndexOf('/') + 1);
  if (name.indexOf('.') !== -1) return request;
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
    use super::*;

    #[test]
    fn the_index_document_is_a_string_in_the_code_and_it_stays_small() {
        assert!(viewer_request_code("index.html").contains("uri + \"index.html\";"));
        assert!(viewer_request_code("it's \"odd\"").contains(r#"uri + "it's \"odd\"";"#));
        assert!(viewer_request_code("index.html").len() < 10 * 1024, "the maximum size of a function");
    }
}
