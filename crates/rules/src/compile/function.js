function canonical(path) {
  return path.split('/').map(function (part) {
    try {
      return encodeURIComponent(decodeURIComponent(part));
    } catch (error) {
      return part;
    }
  }).join('/');
}

function queryOf(request) {
  var query = [];
  for (var key in request.querystring) {
    var value = request.querystring[key];
    var all = value.multiValue || [value];
    for (var i = 0; i < all.length; i++) query.push(key + (all[i].value === '' ? '' : '=' + all[i].value));
  }
  return query.length ? '?' + query.join('&') : '';
}

async function rulesOf(key) {
  var rules = [];
  try {
    while (key) {
      var value = await cf.kvs().get(key);
      var list = JSON.parse(value);
      key = '';
      for (var i = 0; i < list.length; i++) {
        if (typeof list[i] === 'string') key = list[i];
        else rules.push(list[i]);
      }
    }
  } catch (error) {
    return rules;
  }
  return rules;
}

// A rule is [order, pattern, flags, status, target, query]; flags: 1 forced, 2 slashes make a difference, 4 ends with a slash.
function capturesOf(rule, path, query) {
  var found = {};
  var slash = path.length > 1 && path.endsWith('/');
  var strict = (rule[2] & 2) !== 0;
  var want = rule[1] ? rule[1].split('/') : [];
  var splat = want[want.length - 1] === '*';
  if (splat) {
    var rest = path.split('/').slice(want.length - 1);
    if (path.split('/').length < want.length - (strict ? 0 : 1)) return null;
    found[':splat'] = rest.join('/');
    want.pop();
  } else if (strict && slash !== ((rule[2] & 4) !== 0)) {
    return null;
  }
  var have = (slash && !splat ? path.slice(0, -1) : path).split('/');
  if (rule[1] && !splat && have.length !== want.length) return null;
  for (var i = 1; i < want.length; i++) {
    if (want[i][0] !== ':') {
      if (want[i] !== have[i]) return null;
    } else if (have[i]) {
      found[want[i]] = have[i];
    } else {
      return null;
    }
  }
  if (rule[5]) {
    var names = Object.keys(rule[5]);
    if (Object.keys(query).length !== names.length) return null;
    for (var j = 0; j < names.length; j++) {
      var given = query[names[j]];
      if (!given || given.multiValue || !given.value) return null;
      var value = canonical(given.value.replace(/\+/g, '%20').replace(/\//g, '%2F'));
      var wanted = rule[5][names[j]];
      if (wanted[0] === ':') found[wanted] = value;
      else if (wanted !== value) return null;
    }
  }
  return found;
}

// Version, digest, numbers of redirect rules and lists of paths, digest and number of parts of header rules, options; null without a
// table, undefined if the store cannot be read.
async function tableHead() {
  try {
    var head = (await cf.kvs().get('redirects')).split(' ');
    return head[0] === '1' ? head : null;
  } catch (error) {
    try {
      return await cf.kvs().exists('redirects') ? undefined : null;
    } catch (unreadable) {
      return undefined;
    }
  }
}

// What a path without a trailing slash is: 'd' a folder, 'f' a file, '' unknown, null if the table does not tell.
async function kindOf(uri, head) {
  if (!head || !(head[3] > 0)) return null;
  var path = canonical(uri);
  var first = 7;
  var second = 7;
  for (var i = 0; i < path.length; i++) {
    first = (first * 131 + path.charCodeAt(i)) % 4294967291;
    second = (second * 257 + path.charCodeAt(i)) % 4294967279;
  }
  var wanted = ('000000' + second.toString(36)).slice(-7);
  try {
    var list = await cf.kvs().get('u:' + (first % parseInt(head[3], 10)));
    for (var at = 0; at < list.length; at += 8) {
      if (list.slice(at, at + 7) === wanted) return list[at + 7];
    }
  } catch (error) {
    return '';
  }
  return '';
}

async function redirectFor(request, head) {
  var path = canonical(request.uri.replace(/^\/*/, '/'));
  if (!head || head[2] === '0' || path.startsWith('/.well-known/twinsite/')) return null;
  var exact = await rulesOf(path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path);
  var hasFile = exact[0] === 0;
  if (hasFile) exact.shift();
  var general = await rulesOf('p:');
  var first = await rulesOf('p:/' + path.split('/')[1]);
  var rules = exact.concat(general, first).sort(function (a, b) { return a[0] - b[0]; });
  for (var i = 0; i < rules.length; i++) {
    var rule = rules[i];
    var found = hasFile && !(rule[2] & 1) ? null : capturesOf(rule, path, request.querystring);
    if (found) return answerOf(rule, found, request);
  }
  return null;
}

function answerOf(rule, found, request) {
  var to = rule[4].replace(/:[A-Za-z_][A-Za-z0-9_]*/g, function (name) {
    return found[name] === undefined ? name : found[name];
  });
  if (rule[4][0] === '/') to = to.replace(/^\/*/, '/');
  var hash = to.indexOf('#') === -1 ? to.length : to.indexOf('#');
  var target = to.slice(0, hash);
  if (rule[3] === 200) {
    request.uri = target.split('?')[0];
    return request;
  }
  if (!rule[5] && target.indexOf('?') === -1) target += queryOf(request);
  return {
    statusCode: rule[3],
    headers: { location: { value: target + to.slice(hash) }, 'cache-control': { value: 'max-age=300' } },
  };
}

// The response with the headers of the rules for a path, of which the later ones count.
async function withHeaders(uri, response, index, head) {
  if (!head || !head[4] || head[4] === '0') return response;
  var parts = head[4].split(':');
  try {
    var text = '';
    for (var part = 0; part < parts[1]; part++) text += await cf.kvs().get('h:' + parts[0] + ':' + part);
    var path = canonical(uri.replace(/^\/*/, '/'));
    if (path.endsWith('/' + encodeURIComponent(index))) path = path.slice(0, path.lastIndexOf('/'));
    if (path.endsWith('/')) path = path.slice(0, -1);
    JSON.parse(text).forEach(function (rule) {
      if (!new RegExp(rule[0]).test(path)) return;
      rule[1].forEach(function (header) {
        if (header[1] === null) delete response.headers[header[0]];
        else response.headers[header[0]] = { value: header[1] };
      });
    });
  } catch (error) {
    console.log('the header rules could not be read: ' + error);
  }
  return response;
}
