// ali-oss as a client of the bench: ENDPOINT BUCKET REGION FOLDER FILES_AT_ONCE PARTS_AT_ONCE PART_SIZE, the keys in the environment.

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const OSS = require('ali-oss');

const [endpoint, bucket, region, folder] = process.argv.slice(2, 6);
const [filesAtOnce, parallel, partSize] = process.argv.slice(6).map(Number);
// An address it would sign for the real service's name. `sandbox.localhost` is this machine, whatever the resolver says.
const lookup = (_name, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
const agent = { keepAlive: true, maxSockets: filesAtOnce * parallel, lookup };
const client = new OSS({
  endpoint: endpoint.replace('127.0.0.1', 'localhost'),
  bucket,
  region: `oss-${region}`,
  authorizationV4: true,
  accessKeyId: process.env.OSS_ACCESS_KEY_ID,
  accessKeySecret: process.env.OSS_ACCESS_KEY_SECRET,
  secure: endpoint.startsWith('https'),
  timeout: '600s',
  agent: new http.Agent(agent),
  httpsAgent: new https.Agent(agent),
});

const files = fs
  .readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath, entry.name));

async function work() {
  for (let file = files.pop(); file; file = files.pop()) {
    const key = path.relative(path.dirname(folder), file);
    if (fs.statSync(file).size <= partSize) await client.put(key, file);
    else await client.multipartUpload(key, file, { parallel, partSize });
  }
}

Promise.all(Array.from({ length: filesAtOnce }, work)).catch((error) => {
  console.error(error);
  process.exit(1);
});
