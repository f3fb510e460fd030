// What the ali-oss cases stand on: the running sandbox, the list of cases, plain requests without an SDK.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const http = require('node:http');
const AgentKeepAlive = require('agentkeepalive');
const OSS = require('ali-oss');

const KIB = 1024;
// Seconds that one case may take. A sandbox that hangs must not hang the run.
const DEADLINE = 60;
// Names that a client, a URL library or a server may change on their way.
const KEYS = ['plain.txt', '中文/文件 名.txt', 'a+b.txt', '100%25 %.txt', 'a b/c  d', 'q?x=1&y#z', "!'()*~-_.@$,;:=", '\u{1f4e6}.bin'];

// The sandbox that xtask started: its ready line is in the environment, where no other user can read the secret.
const info = JSON.parse(process.env.WAYBILL_SANDBOX);
const { port } = new URL(info.endpoint);

// Every name is this machine: `sandbox.localhost` is known to browsers, but not to every system's resolver.
const lookup = (_name, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
const agent = new AgentKeepAlive({ lookup });

/** A client of the SDK: virtual-hosted style (`sandbox.localhost`) unless told otherwise. */
function client(version, more = {}) {
  return new OSS({
    region: `oss-${info.region}`,
    endpoint: `http://localhost:${port}`,
    bucket: info.bucket,
    accessKeyId: info.accessKeyId,
    accessKeySecret: info.accessKeySecret,
    authorizationV4: version === 'V4',
    agent,
    ...more,
  });
}

/** One request without an SDK: what another program does with a presigned URL or a form. */
function send(method, url, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, lookup, agent: false }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('end', () => {
        const whole = Buffer.concat(pieces);
        resolve({ status: answer.statusCode, headers: answer.headers, body: whole, text: whole.toString() });
      });
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Posts a form to the bucket as a browser does; the file comes last. */
async function post(fields, body) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([body]), 'file.bin');
  const encoded = new Response(form);
  const headers = { 'content-type': encoded.headers.get('content-type') };
  const bytes = Buffer.from(await encoded.arrayBuffer());
  headers['content-length'] = bytes.length;
  return send('POST', `http://${info.bucket}.localhost:${port}/`, { headers, body: bytes });
}

async function admin(method, path, value) {
  const answer = await send(method, `${info.endpoint}/_sandbox/${path}`, { body: value && JSON.stringify(value) });
  assert.ok(answer.status < 300, `${path}: ${answer.status} ${answer.text}`);
  return answer;
}

/** Lets the receiver answer the callback for this key with a status. */
function failCallback(key, status) {
  return admin('POST', 'faults', { operation: 'Callback', key, fault: { kind: 'callbackStatus', status } });
}

/** Answers the next try at this part with an error, and does nothing with it. */
function failPart(key, partNumber) {
  const fault = { kind: 'status', status: 500, code: 'InternalError' };
  return admin('POST', 'faults', { operation: 'UploadPart', key, partNumber, fault });
}

/** The upload was begun once, and each part was stored once: what had been sent was not sent again. */
async function checkResumed(key, parts, failed) {
  const own = JSON.parse((await admin('GET', 'log')).text).filter((entry) => entry.key === key);
  const asked = (operation) => own.filter((entry) => entry.operation === operation);
  assert.equal(asked('InitiateMultipartUpload').length, 1);
  const good = (from, to) => Array.from({ length: to - from + 1 }, (_, at) => [from + at, 200]);
  const wanted = [...good(1, failed - 1), [failed, 500], ...good(failed, parts)];
  assert.deepEqual(asked('UploadPart').map((entry) => [entry.partNumber, entry.status]), wanted);
}

/** A temporary key pair of an hour. */
async function token() {
  return JSON.parse((await admin('GET', 'tokens')).text);
}

/** The option `callback` of put, multipartUpload and completeMultipartUpload. */
function callback(body = 'object=${object}&size=${size}&no=${x:no}', contentType) {
  return { url: info.callbackUrl, body, contentType, customValue: { no: 1042 } };
}

/** The receiver sends back what it got: the proof that OSS's variables and ours went through. */
function checkAnswer(answer, key, size) {
  assert.equal(answer.Status, 'OK');
  const { object, size: sent, no } = answer.received;
  assert.deepEqual([object, String(sent), no], [key, String(size), '1042']);
}

/** Bytes that no part repeats: SHA-256 in counter mode. */
function content(size) {
  const blocks = [];
  for (let i = 0; i * 32 < size; i += 1) blocks.push(crypto.createHash('sha256').update(`waybill${i}`).digest());
  return Buffer.concat(blocks).subarray(0, size);
}

const md5 = (data) => crypto.createHash('md5').update(data).digest('hex').toUpperCase();

/** The SDK throws this status and code. */
async function refused(status, code, call) {
  const error = await call().then(
    () => assert.fail(`not refused with ${code}`),
    (thrown) => thrown,
  );
  assert.deepEqual([error.status, error.code], [status, code], error.message);
  assert.ok(error.requestId, 'a refusal has a RequestId');
  return error;
}

const cases = [];

/** Adds a case; it runs once for each signature version. */
function add(name, run, versions = ['V1', 'V4']) {
  for (const version of versions) cases.push({ name, version, run });
}

const HANGING = new Error('a case that did not end in its time');

/** The same, but no later than in so many seconds. */
async function within(seconds, running) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(HANGING), seconds * 1000);
  });
  return Promise.race([running, late]).finally(() => clearTimeout(timer));
}

/** Runs all, one line each; the closing line is the one that xtask counts. */
async function runAll() {
  let failed = 0;
  for (const [number, { name, version, run }] of cases.entries()) {
    const line = `ali-oss · ${name} · ${version}`;
    try {
      await within(DEADLINE, run(client(version), `ali-oss/${version}/${number}/`, version));
      console.log(`ok  ${line}`);
    } catch (error) {
      if (error === HANGING) {
        failed += cases.length - number;
        console.log(`FAILED  ${line}: no end after ${DEADLINE} s; the cases after it are not run`);
        break;
      }
      failed += 1;
      const where = /(cases|sandbox)\.js:(\d+)/.exec(error.stack ?? '')?.[0] ?? '';
      console.log(`FAILED  ${line}: ${where} ${error.name}: ${error.message}`.slice(0, 500).replaceAll('\n', ' '));
    }
  }
  console.log(`test result: ${failed ? 'FAILED' : 'ok'}. ${cases.length - failed} passed; ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

module.exports = { KEYS, KIB, add, callback, checkAnswer, checkResumed, client, content, failCallback, failPart, info, md5, port, post, refused, runAll, send, token };
