// The module `cloudfront` of CloudFront Functions with JavaScript runtime 2.0. `EDGE` is what the edge knows of the request.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-custom-methods.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/helper-functions-origin-modification.html
const edge = EDGE;

function fail(name, message) {
  const error = new Error(name + ': ' + message);
  error.name = name;
  throw error;
}

function kvs(id) {
  const store = edge.store;
  if (!store || (id !== undefined && id !== store.id)) {
    fail('KVSNamespaceNotFound', 'no such key value store is associated with the function');
  }
  const keys = () => {
    if (store.unreadable) fail('InternalError', 'the key value store cannot be read');
    return store.keys;
  };
  const has = (key) => Object.prototype.hasOwnProperty.call(keys(), key);
  return {
    async get(key, options) {
      if (!has(key)) fail('KeyNotFound', 'the key ' + key + ' does not exist');
      const value = keys()[key];
      switch ((options && options.format) || 'string') {
        case 'string': return value;
        case 'json': return JSON.parse(value);
        default: fail('TypeError', 'the embedded cloud keeps the formats string and json');
      }
    },
    async exists(key) { return has(key); },
    async count() { return Object.keys(keys()).length; },
    async meta() {
      const keyCount = Object.keys(keys()).length;
      return { creationDateTime: store.created, lastUpdatedDateTime: store.updated, keyCount };
    },
  };
}

function knownOrigin(id) {
  if (typeof id !== 'string' || !edge.origins.includes(id)) {
    fail('TypeError', 'the distribution has no origin with the id ' + id);
  }
  return id;
}

// The last call counts.
let modification = null;

function only(object, names) {
  for (const name of Object.keys(object)) {
    if (!names.includes(name)) fail('TypeError', 'the embedded cloud does not keep ' + name);
  }
}

function inRange(value, least, most, name) {
  if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most)) {
    fail('TypeError', name + ' must be between ' + least + ' and ' + most);
  }
}

function updateRequestOrigin(changes) {
  if (typeof changes !== 'object' || changes === null) fail('TypeError', 'an object is expected');
  only(changes, ['domainName', 'originPath', 'customHeaders', 'connectionAttempts', 'originAccessControlConfig', 'timeouts',
    'customOriginConfig']);
  const control = changes.originAccessControlConfig;
  if (control && control.enabled) {
    if (!['always', 'never', 'no-override'].includes(control.signingBehavior) || control.signingProtocol !== 'sigv4') {
      fail('TypeError', 'originAccessControlConfig is incomplete');
    }
    if (control.originType !== 's3') fail('TypeError', 'the embedded cloud keeps origins of the type s3');
  }
  const path = changes.originPath;
  if (path !== undefined && path !== '' && (path[0] !== '/' || path.endsWith('/') || path.length > 255)) {
    fail('TypeError', 'originPath must start with a slash and not end with one');
  }
  inRange(changes.connectionAttempts, 1, 3, 'connectionAttempts');
  const timeouts = changes.timeouts || {};
  only(timeouts, ['readTimeout', 'keepAliveTimeout', 'connectionTimeout']);
  inRange(timeouts.readTimeout, 1, 60, 'readTimeout');
  inRange(timeouts.keepAliveTimeout, 1, 60, 'keepAliveTimeout');
  inRange(timeouts.connectionTimeout, 1, 10, 'connectionTimeout');
  only(changes.customOriginConfig || {}, ['port', 'protocol', 'sslProtocols']);
  modification = { update: changes };
}

function selectRequestOriginById(id, options) {
  if (options !== undefined) fail('TypeError', 'the embedded cloud does not keep originOverrides');
  modification = { select: knownOrigin(id) };
}

function createRequestOriginGroup(group) {
  only(group, ['originIds', 'failoverCriteria', 'selectionCriteria']);
  if (!Array.isArray(group.originIds) || group.originIds.length !== 2) {
    fail('TypeError', 'an origin group has exactly two origins');
  }
  const origins = group.originIds.map((one) => knownOrigin(one && one.originId));
  const codes = group.failoverCriteria && group.failoverCriteria.statusCodes;
  const allowed = [400, 403, 404, 416, 429, 500, 502, 503, 504];
  if (!Array.isArray(codes) || codes.length === 0 || !codes.every((code) => allowed.includes(code))) {
    fail('TypeError', 'failoverCriteria.statusCodes must be a list of ' + allowed.join(', '));
  }
  if (group.selectionCriteria !== undefined && group.selectionCriteria !== 'default') {
    fail('TypeError', 'the embedded cloud keeps the selection criteria default');
  }
  modification = { group: { origins, codes } };
}

export const modified = () => modification;
export default { kvs, updateRequestOrigin, selectRequestOriginById, createRequestOriginGroup, edgeLocation: { name: 'LOCAL' } };
