// What CloudFront Functions have besides the module `cloudfront`: of the module `crypto` and of `Buffer`, the parts that are used.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
(() => {
  const { hmacSha256, fromBase64 } = globalThis.native;
  delete globalThis.native;
  const refuse = (what) => {
    throw new TypeError('the embedded cloud does not keep ' + what);
  };
  const crypto = {
    createHmac(algorithm, key) {
      if (algorithm !== 'sha256' || typeof key !== 'string') refuse('this algorithm or key');
      let message = '';
      const mac = {
        update(data) {
          if (typeof data !== 'string') refuse('data other than strings');
          message += data;
          return mac;
        },
        digest: (encoding) => (encoding === 'hex' ? hmacSha256(key, message) : refuse('encodings other than hex')),
      };
      return mac;
    },
  };
  globalThis.require = (name) => (name === 'crypto' ? crypto : refuse('the module ' + name));
  globalThis.Buffer = {
    from(text, encoding) {
      if (encoding !== 'base64') refuse('encodings other than base64');
      return { toString: () => fromBase64(text) };
    },
  };
})();
