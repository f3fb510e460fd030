// ali-oss, the JavaScript SDK, against the sandbox.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { KEYS, KIB, add, callback, checkAnswer, checkResumed, client, content, failCallback, failPart, info, md5, port, post, refused,
  runAll, send, token } = require('./sandbox');

const equal = assert.deepEqual;

async function stored(oss, key, data) {
  assert.ok(Buffer.compare((await oss.get(key)).content, data) === 0, `content of ${key}`);
}

async function exists(oss, key) {
  return oss.head(key).then(
    () => true,
    (error) => (error.code === 'NoSuchKey' ? false : Promise.reject(error)),
  );
}

/** Runs with a file of these bytes, which is gone afterwards. */
async function withFile(data, use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-sdk-'));
  try {
    const file = path.join(folder, 'file.bin');
    fs.writeFileSync(file, data);
    return await use(file);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Initiates and sends; what remains is to complete. */
async function inParts(oss, key, data, { size = 100 * KIB, ...options } = {}) {
  const { uploadId } = await oss.initMultipartUpload(key, options);
  const parts = [];
  for (let start = 0; start < data.length; start += size) {
    const end = Math.min(start + size, data.length);
    const number = parts.length + 1;
    const { etag } = await oss.uploadPart(key, uploadId, number, data, start, end);
    equal(etag, `"${md5(data.subarray(start, end))}"`);
    parts.push({ number, etag });
  }
  return { uploadId, parts };
}

add('put object, get it', async (oss, prefix) => {
  const data = content(64 * KIB);
  const { res } = await oss.put(`${prefix}k`, data);
  equal([res.status, res.headers.etag], [200, `"${md5(data)}"`]);
  assert.ok(res.headers['x-oss-hash-crc64ecma'] && res.headers['x-oss-request-id']);
  await stored(oss, `${prefix}k`, data);
});

add('put an empty object', async (oss, prefix) => {
  await oss.put(`${prefix}k`, Buffer.alloc(0));
  await stored(oss, `${prefix}k`, Buffer.alloc(0));
});

add('put a file, and a stream without length', (oss, prefix) =>
  withFile(content(150 * KIB), async (file) => {
    await oss.put(`${prefix}file`, file);
    await oss.putStream(`${prefix}stream`, fs.createReadStream(file));
    await stored(oss, `${prefix}file`, fs.readFileSync(file));
    await stored(oss, `${prefix}stream`, fs.readFileSync(file));
  }),
);

for (const name of KEYS) {
  add(`key ${name}`, async (oss, prefix) => {
    await oss.put(prefix + name, Buffer.from(name));
    await stored(oss, prefix + name, Buffer.from(name));
    assert.ok(await exists(oss, prefix + name));
  });
}

add('dot segments, which its URL library folds away after signing: SignatureDoesNotMatch', async (oss, prefix) => {
  await refused(403, 'SignatureDoesNotMatch', () => oss.put(`${prefix}a/../b`, Buffer.from('x')));
  assert.ok(!(await exists(oss, `${prefix}b`)));
});

add('an address as endpoint: path style', async (_oss, prefix, version) => {
  const byAddress = client(version, { endpoint: info.endpoint, sldEnable: true });
  await byAddress.put(`${prefix}a b`, Buffer.from('by address'));
  await stored(byAddress, `${prefix}a b`, Buffer.from('by address'));
});

add('get a range, a stream, and as a file', async (oss, prefix) => {
  const data = content(1000);
  await oss.put(`${prefix}k`, data);
  const part = await oss.get(`${prefix}k`, { headers: { Range: 'bytes=10-19' } });
  equal([part.res.status, part.res.headers['content-range']], [206, 'bytes 10-19/1000']);
  equal(part.content, data.subarray(10, 20));
  const pieces = [];
  for await (const piece of (await oss.getStream(`${prefix}k`)).stream) pieces.push(piece);
  equal(Buffer.concat(pieces), data);
  await withFile('', async (file) => {
    await oss.get(`${prefix}k`, file);
    equal(fs.readFileSync(file), data);
  });
});

add('head, object meta, and metadata as it was sent', async (oss, prefix) => {
  const headers = {
    'Cache-Control': 'no-cache',
    'Content-Disposition': 'attachment; filename="a b.csv"',
    'x-oss-storage-class': 'IA',
  };
  await oss.put(`${prefix}k.csv`, Buffer.from('a,b'), { headers, meta: { author: 'someone' }, mime: 'text/csv' });
  const head = await oss.head(`${prefix}k.csv`);
  for (const [name, value] of Object.entries(headers)) equal(head.res.headers[name.toLowerCase()], value);
  equal([head.meta, head.res.headers['content-type']], [{ author: 'someone' }, 'text/csv']);
  const meta = await oss.getObjectMeta(`${prefix}k.csv`);
  equal([meta.res.headers['content-length'], meta.res.headers.etag], ['3', head.res.headers.etag]);
  await oss.putMeta(`${prefix}k.csv`, { changed: 'yes' });
  equal((await oss.head(`${prefix}k.csv`)).meta, { changed: 'yes' });
});

add('Content-MD5 is checked', async (oss, prefix) => {
  const good = crypto.createHash('md5').update('right').digest('base64');
  await oss.put(`${prefix}k`, Buffer.from('right'), { headers: { 'Content-MD5': good } });
  await refused(400, 'InvalidDigest', () =>
    oss.put(`${prefix}k`, Buffer.from('wrong'), { headers: { 'Content-MD5': good } }),
  );
  await stored(oss, `${prefix}k`, Buffer.from('right'));
});

add('multipart by hand: three parts, listed, completed', async (oss, prefix) => {
  const [key, data] = [`${prefix}k +%.bin`, content(250 * KIB)];
  const { uploadId, parts } = await inParts(oss, key, data, { meta: { a: 'b' }, mime: 'text/x-three' });
  const listed = await oss.listParts(key, uploadId);
  equal(listed.parts.map((part) => [Number(part.PartNumber), part.ETag]), parts.map((part) => [part.number, part.etag]));
  const page = await oss.listParts(key, uploadId, { 'max-parts': 2 });
  equal([page.parts.length, page.isTruncated, page.nextPartNumberMarker], [2, 'true', '2']);
  const { etag } = await oss.completeMultipartUpload(key, uploadId, parts);
  equal(etag, `"${md5(parts.map((part) => part.etag.replaceAll('"', '')).join(''))}-3"`);
  const head = await oss.head(key);
  equal([head.meta, head.res.headers['content-type']], [{ a: 'b' }, 'text/x-three']);
  equal(head.res.headers['x-oss-object-type'], 'Multipart');
  await stored(oss, key, data);
});

add('multipartUpload of a file, with its callback', (oss, prefix) =>
  withFile(content(700 * KIB), async (file) => {
    const options = { partSize: 200 * KIB, parallel: 3, callback: callback(), meta: { a: 'b' } };
    const { etag, data } = await oss.multipartUpload(`${prefix}k`, file, options);
    assert.ok(etag.endsWith('-4"'), etag);
    checkAnswer(data, `${prefix}k`, 700 * KIB);
    await stored(oss, `${prefix}k`, fs.readFileSync(file));
  }),
);

add('multipartUpload taken up again from its checkpoint after a part has failed', (oss, prefix) =>
  withFile(content(500 * KIB), async (file) => {
    let kept;
    const progress = async (_done, checkpoint) => {
      kept = structuredClone(checkpoint);
    };
    const options = { partSize: 100 * KIB, parallel: 1, progress };
    await failPart(`${prefix}k`, 3);
    await assert.rejects(oss.multipartUpload(`${prefix}k`, file, options), { code: 'InternalError' });
    assert.equal(kept.doneParts.length, 2);
    const { etag } = await oss.multipartUpload(`${prefix}k`, file, { ...options, checkpoint: kept });
    assert.ok(etag.endsWith('-5"'), etag);
    await checkResumed(`${prefix}k`, 5, 3);
    await stored(oss, `${prefix}k`, fs.readFileSync(file));
  }),
);

add('list uploads, abort one', async (oss, prefix) => {
  const keys = [`${prefix}a b`, `${prefix}c/1`, `${prefix}c/2`];
  const ids = [];
  for (const key of keys) ids.push((await oss.initMultipartUpload(key)).uploadId);
  const { uploads } = await oss.listUploads({ prefix, 'max-uploads': 10 });
  equal(uploads.map((upload) => [upload.name, upload.uploadId]), keys.map((key, at) => [key, ids[at]]));
  const first = await oss.listUploads({ prefix, 'max-uploads': 2 });
  equal([first.uploads.length, first.isTruncated, first.nextKeyMarker], [2, true, keys[1]]);
  await oss.abortMultipartUpload(keys[0], ids[0]);
  await refused(404, 'NoSuchUpload', () => oss.listParts(keys[0], ids[0]));
  equal((await oss.listUploads({ prefix })).uploads.length, 2);
});

add('complete refuses a wrong ETag and a part that is too small', async (oss, prefix) => {
  const { uploadId, parts } = await inParts(oss, `${prefix}k`, content(150 * KIB));
  const wrong = [{ number: 1, etag: `"${'0'.repeat(32)}"` }, parts[1]];
  await refused(400, 'InvalidPart', () => oss.completeMultipartUpload(`${prefix}k`, uploadId, wrong));
  const small = await inParts(oss, `${prefix}s`, content(30 * KIB), { size: 20 * KIB });
  await refused(400, 'EntityTooSmall', () => oss.completeMultipartUpload(`${prefix}s`, small.uploadId, small.parts));
});

add("put with callback and variables: the application's answer", async (oss, prefix) => {
  const { data } = await oss.put(`${prefix}k &=`, Buffer.from('12345'), { callback: callback() });
  checkAnswer(data, `${prefix}k &=`, 5);
});

add("complete with callback: the application's answer", async (oss, prefix) => {
  const data = content(250 * KIB);
  const { uploadId, parts } = await inParts(oss, `${prefix}k`, data);
  const body = '{"object":${object},"size":${size},"no":${x:no}}';
  const options = { callback: callback(body, 'application/json') };
  const done = await oss.completeMultipartUpload(`${prefix}k`, uploadId, parts, options);
  checkAnswer(done.data, `${prefix}k`, data.length);
});

add('failing callback: an error of status 203, and the object is stored', async (oss, prefix) => {
  await failCallback(`${prefix}k`, 500);
  const error = await refused(203, 'CallbackFailed', () =>
    oss.put(`${prefix}k`, Buffer.from('kept'), { callback: callback() }),
  );
  equal([error.name, error.ecCode], ['CallbackFailedError', '0007-00000203']);
  await stored(oss, `${prefix}k`, Buffer.from('kept'));
});

add('failing callback at the end of a multipart upload', async (oss, prefix) => {
  const { uploadId, parts } = await inParts(oss, `${prefix}k`, content(150 * KIB));
  await failCallback(`${prefix}k`, 500);
  const complete = () => oss.completeMultipartUpload(`${prefix}k`, uploadId, parts, { callback: callback() });
  await refused(203, 'CallbackFailed', complete);
  await stored(oss, `${prefix}k`, content(150 * KIB));
  await refused(404, 'NoSuchUpload', complete);
});

function policy(key, more = []) {
  const expiration = new Date(Date.now() + 600_000).toISOString();
  return { expiration, conditions: [{ bucket: info.bucket }, ['eq', '$key', key], ['content-length-range', 1, 1048576], ...more] };
}

/** Signs a form with the SDK: `calculatePostSignature`, or `signPostObjectPolicyV4`. */
function signed(oss, version, key, extra = {}) {
  if (version === 'V1') return { key, ...oss.calculatePostSignature(policy(key)), ...extra };
  const now = new Date();
  const date = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const fields = {
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': `${info.accessKeyId}/${date.slice(0, 8)}/${info.region}/oss/aliyun_v4_request`,
    'x-oss-date': date,
  };
  const whole = policy(key, Object.entries(fields).map(([name, value]) => ({ [name]: value })));
  const base64 = Buffer.from(JSON.stringify(whole)).toString('base64');
  return { key, ...fields, policy: base64, 'x-oss-signature': oss.signPostObjectPolicyV4(whole, now), ...extra };
}

add('form upload with policy and callback, signed by the SDK', async (oss, prefix, version) => {
  const key = `${prefix}表 k.bin`;
  const { url, body } = callback();
  const json = JSON.stringify({ callbackUrl: url, callbackBody: body });
  const extra = { callback: Buffer.from(json).toString('base64'), 'x:no': '1042' };
  const answer = await post(signed(oss, version, key, extra), 'form data');
  equal(answer.status, 200, answer.text);
  checkAnswer(JSON.parse(answer.text), key, 9);
  await stored(oss, key, Buffer.from('form data'));
});

add('form upload with a failing callback: 203', async (oss, prefix, version) => {
  await failCallback(`${prefix}k`, 500);
  const { url, body } = callback();
  const json = JSON.stringify({ callbackUrl: url, callbackBody: body });
  const answer = await post(signed(oss, version, `${prefix}k`, { callback: Buffer.from(json).toString('base64') }), 'x');
  equal(answer.status, 203, answer.text);
  assert.match(answer.text, /<Code>CallbackFailed<\/Code>/);
  assert.ok(await exists(oss, `${prefix}k`));
});

add('form upload that its policy forbids is refused', async (oss, prefix, version) => {
  const fields = { ...signed(oss, version, `${prefix}k`), key: `${prefix}other` };
  const answer = await post(fields, 'x');
  equal(answer.status, 403, answer.text);
  assert.match(answer.text, /<Code>AccessDenied<\/Code>.*<EC>0006-00000227<\/EC>/);
  assert.ok(!(await exists(oss, `${prefix}other`)));
});

/** A presigned URL of the version asked for. */
async function presigned(oss, version, method, key, headers = {}) {
  if (version === 'V4') return oss.signatureUrlV4(method, 60, { headers }, key);
  return oss.signatureUrl(key, { method, expires: 60, 'Content-Type': headers['Content-Type'] });
}

add('presigned put and get', async (oss, prefix, version) => {
  const [key, data] = [`${prefix}k +%中.bin`, content(5000)];
  const headers = { 'Content-Type': 'text/plain' };
  const url = await presigned(oss, version, 'PUT', key, headers);
  const put = await send('PUT', url, { headers: { ...headers, 'content-length': data.length }, body: data });
  equal(put.status, 200, put.text);
  const other = await send('PUT', url, { headers: { 'Content-Type': 'text/html', 'content-length': 1 }, body: 'x' });
  equal([other.status, /<Code>SignatureDoesNotMatch</.test(other.text)], [403, true]);
  equal((await send('GET', await presigned(oss, version, 'GET', key))).body, data);
  const asynchronous = await oss.asyncSignatureUrl(key, { expires: 60 });
  equal((await send('GET', asynchronous)).body, data);
});

add('presigned put with callback in the query', async (oss, prefix) => {
  // The SDK writes the callback into a V1 URL.
  const options = { method: 'PUT', expires: 60, callback: { ...callback(), customValue: { no: '1042' } } };
  const answer = await send('PUT', oss.signatureUrl(`${prefix}k`, options), { body: 'abc' });
  equal(answer.status, 200, answer.text);
  checkAnswer(JSON.parse(answer.text), `${prefix}k`, 3);
}, ['V1']);

add('temporary keys (STS)', async (_oss, prefix, version) => {
  const pair = await token();
  const keys = { accessKeyId: pair.AccessKeyId, accessKeySecret: pair.AccessKeySecret };
  const refresh = { refreshSTSToken: async () => pair, refreshSTSTokenInterval: 3_600_000 };
  const temporary = client(version, { ...keys, stsToken: pair.SecurityToken, ...refresh });
  await temporary.put(`${prefix}k`, Buffer.from('with a token'));
  await stored(temporary, `${prefix}k`, Buffer.from('with a token'));
  const url = await presigned(temporary, version, 'GET', `${prefix}k`);
  equal((await send('GET', url)).text, 'with a token');
});

add('wrong secret: SignatureDoesNotMatch', async (_oss, prefix, version) => {
  const wrong = client(version, { accessKeySecret: 'not-the-secret' });
  await refused(403, 'SignatureDoesNotMatch', () => wrong.put(`${prefix}k`, Buffer.from('x')));
  // A HEAD has no body: the SDK reads the same from a header.
  await refused(403, 'SignatureDoesNotMatch', () => wrong.head(`${prefix}k`));
});

add('unknown key id: InvalidAccessKeyId', async (_oss, prefix, version) => {
  const nobody = client(version, { accessKeyId: 'nobody' });
  await refused(403, 'InvalidAccessKeyId', () => nobody.put(`${prefix}k`, Buffer.from('x')));
});

add('no such key, no such bucket', async (oss, prefix, version) => {
  equal((await refused(404, 'NoSuchKey', () => oss.get(`${prefix}none`))).ecCode, '0026-00000001');
  await refused(404, 'NoSuchKey', () => oss.head(`${prefix}none`));
  const elsewhere = client(version, { bucket: 'no-such-bucket-here' });
  await refused(404, 'NoSuchBucket', () => elsewhere.put('k', Buffer.from('x')));
});

add('forbid overwrite: put, and complete', async (oss, prefix) => {
  const headers = { 'x-oss-forbid-overwrite': 'true' };
  await oss.put(`${prefix}k`, Buffer.from('first'), { headers });
  await refused(409, 'FileAlreadyExists', () => oss.put(`${prefix}k`, Buffer.from('second'), { headers }));
  const { uploadId, parts } = await inParts(oss, `${prefix}k`, Buffer.from('third'));
  const complete = () => oss.completeMultipartUpload(`${prefix}k`, uploadId, parts, { headers });
  await refused(409, 'FileAlreadyExists', complete);
  await stored(oss, `${prefix}k`, Buffer.from('first'));
});

add('copy with metadata, and in parts', async (oss, prefix) => {
  const [source, data] = [`${prefix}源 +%`, content(400 * KIB)];
  await oss.put(source, data, { meta: { a: '1' }, mime: 'text/x-a' });
  equal((await oss.copy(`${prefix}copy`, source)).data.etag, `"${md5(data)}"`);
  equal((await oss.head(`${prefix}copy`)).meta, { a: '1' });
  await oss.copy(`${prefix}other`, source, { meta: { b: '2' } });
  equal((await oss.head(`${prefix}other`)).meta, { b: '2' });
  const from = { sourceKey: source, sourceBucketName: info.bucket };
  await oss.multipartUploadCopy(`${prefix}parts`, from, { partSize: 150 * KIB });
  for (const key of ['copy', 'other', 'parts']) await stored(oss, prefix + key, data);
});

add('delete, and delete again', async (oss, prefix) => {
  await oss.put(`${prefix}k`, Buffer.from('x'));
  equal([(await oss.delete(`${prefix}k`)).res.status, (await oss.delete(`${prefix}k`)).res.status], [204, 204]);
  assert.ok(!(await exists(oss, `${prefix}k`)));
});

add('delete several, told and quiet', async (oss, prefix) => {
  const keys = KEYS.map((name) => prefix + name);
  for (const quiet of [false, true]) {
    for (const key of keys) await oss.put(key, Buffer.from('x'));
    const { deleted } = await oss.deleteMulti(keys, { quiet });
    equal(deleted.map((entry) => entry.Key).sort(), quiet ? [] : [...keys].sort());
    equal((await oss.listV2({ prefix })).objects, []);
  }
});

async function fill(oss, prefix) {
  const keys = [...KEYS, 'd/1', 'd/2', 'e/1'].map((name) => prefix + name);
  for (const key of keys) await oss.put(key, Buffer.from('x'));
  return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

add('list objects (first version): pages, prefix, delimiter, any name', async (oss, prefix) => {
  const keys = await fill(oss, prefix);
  const found = [];
  let marker;
  do {
    const page = await oss.list({ prefix, 'max-keys': 3, ...(marker && { marker }) });
    found.push(...page.objects);
    marker = page.nextMarker;
  } while (marker);
  equal(found.map((entry) => entry.name), keys);
  equal([found[0].size, found[0].type, found[0].storageClass], [1, 'Normal', 'Standard']);
  const grouped = await oss.list({ prefix, delimiter: '/' });
  assert.ok(grouped.prefixes.includes(`${prefix}d/`) && grouped.prefixes.includes(`${prefix}e/`));
});

add('list objects (second version): pages, prefix, delimiter, any name', async (oss, prefix) => {
  const keys = await fill(oss, prefix);
  const found = [];
  let from;
  do {
    const page = await oss.listV2({ prefix, 'continuation-token': from, 'max-keys': '3' });
    equal(page.keyCount, page.objects.length);
    found.push(...page.objects);
    from = page.nextContinuationToken;
  } while (from);
  equal(found.map((entry) => entry.name), keys);
  const after = await oss.listV2({ prefix: `${prefix}d/`, 'start-after': `${prefix}d/1`, 'fetch-owner': 'true' });
  equal(after.objects.map((entry) => entry.name), [`${prefix}d/2`]);
  assert.ok(after.objects[0].owner.id);
});

add('list buckets', async (oss, _prefix) => {
  const { buckets, owner } = await oss.listBuckets({ 'max-keys': '10' });
  assert.ok(buckets.some((entry) => entry.name === info.bucket && entry.region === `oss-${info.region}`) && owner.id);
});

add('bucket info and location', async (oss, _prefix) => {
  const { bucket } = await oss.getBucketInfo(info.bucket);
  equal([bucket.Name, bucket.Location, bucket.StorageClass], [info.bucket, `oss-${info.region}`, 'Standard']);
  equal((await oss.getBucketLocation(info.bucket)).location, `oss-${info.region}`);
});

runAll();
