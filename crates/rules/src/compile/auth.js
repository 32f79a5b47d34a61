// Pairs of an id and an expression, the longest path first.
var protectedPaths = AUTH;

// The protected path that a path belongs to, as its id and its expression, or null. The path is compared as S3 reads it, a page under each
// of its names, and what cannot be read is protected.
function protectionOf(uri) {
  var parts = [];
  try {
    decodeURIComponent(uri).split('/').forEach(function (part) {
      if (part === '..') parts.pop();
      else if (part && part !== '.') parts.push(encodeURIComponent(part));
    });
  } catch (error) {
    return protectedPaths[0];
  }
  if (parts[0] === '.well-known' && parts[1] === 'twinsite') return null;
  var path = parts.length ? '/' + parts.join('/') : '';
  var names = [path, path.replace(/\.html$/, '')];
  if (parts[parts.length - 1] === encodeURIComponent(INDEX)) names.push(path.slice(0, path.lastIndexOf('/')));
  if (path.indexOf('.', path.lastIndexOf('/')) === -1) names.push(path + '.html');
  for (var i = 0; i < protectedPaths.length; i++) {
    var expression = new RegExp(protectedPaths[i][1]);
    if (names.some(function (name) { return expression.test(name); })) return protectedPaths[i];
  }
  return null;
}

function isPassword(password, stored) {
  var parts = stored.split(':');
  var given = crypto.createHmac('sha256', parts[1]).update(password).digest('hex');
  var difference = given.length ^ parts[2].length;
  for (var i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ parts[2].charCodeAt(i);
  return difference === 0;
}

// A response that refuses a path, or null. Without the store, nobody is let in.
async function denial(request, uri, head) {
  var rule = protectionOf(uri);
  if (!rule) return null;
  var header = request.headers.authorization;
  var given = header && /^basic +/i.test(header.value) ? header.value.replace(/^basic +/i, '') : '';
  var text = Buffer.from(given, 'base64').toString();
  var colon = text.indexOf(':');
  var stored = 'none:none:none';
  try {
    var kvs = cf.kvs();
    var key = 'a:' + rule[0] + ':' + encodeURIComponent(text.slice(0, Math.max(colon, 0)));
    if (head === undefined) throw 'unreadable';
    if (colon > 0 && key.length < 500 && await kvs.exists(key)) stored = await kvs.get(key);
  } catch (error) {
    return respond(503, 'Service Unavailable');
  }
  if (isPassword(text.slice(colon + 1), stored)) return null;
  var denied = respond(401, 'Unauthorized');
  denied.headers['www-authenticate'] = { value: REALM };
  denied.headers['x-robots-tag'] = { value: 'noindex' };
  return denied;
}

function sealed(uri, response) {
  if (protectionOf(uri)) {
    response.headers['cache-control'] = { value: 'no-store' };
    response.headers['x-robots-tag'] = { value: 'noindex' };
  }
  return response;
}
