// Where a visitor of an alias is sent: the same path and the same query of the canonical name, as they were sent.
function redirectOfAlias(request, aliases, location) {
  var host = request.headers.host ? request.headers.host.value.toLowerCase().split(':')[0] : '';
  if (aliases.indexOf(host.replace(/\.$/, '')) === -1) return null;
  var query = request.rawQueryString();
  return {
    statusCode: 301,
    statusDescription: 'Moved Permanently',
    headers: {
      location: { value: location + request.uri + (query === undefined ? '' : '?' + query) },
      'cache-control': { value: 'max-age=300' },
    },
  };
}
