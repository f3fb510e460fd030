// The call of a callback as a line for sh: what OSS POSTs, without its signature and without what is secret. Pure.
import type { CallbackRequestView } from "../bindings/CallbackRequestView";
import type { UploadDetails } from "../bindings/UploadDetails";
import type { Variable } from "../bindings/Variable";

export interface Curl {
  command: string;
  /** Variables that only OSS knows: they stand in the command as `${name}`. */
  unknown: string[];
}

/** In place of what is secret. */
const STARS = "***";
/** Whoever named it so does not want it in a chat. */
const SECRET = /authorization|cookie|token|secret|passw|credential|signature|api[-_]?key/i;
/** What OSS puts into JSON as a bare number. */
const NUMBERS: readonly string[] = ["size", "imageInfo.height", "imageInfo.width"];
/** OSS gives an answer this much time. */
const SECONDS = 5;

/** What we know of the variables that OSS fills in, for the last call that was made. */
export function knownOf(details: UploadDetails): Map<string, string> {
  const { object, row, callback, parts, partSizeBytes } = details;
  const known = new Map([["bucket", row.bucket], ["object", row.key], ["size", String(row.sizeBytes)]]);
  if (!object) return known;
  known.set("etag", object.etag).set("reqId", object.requestId);
  if (object.crc64 !== null) known.set("crc64", object.crc64);
  // Sent again, it is put together from parts of itself, unless it is empty.
  const multipart = callback.calls.length > 1 ? row.sizeBytes > 0 : partSizeBytes > 0 || parts.length > 0;
  return known.set("operation", multipart ? "CompleteMultipartUpload" : "PutObject");
}

export function curlOf(request: CallbackRequestView, known: ReadonlyMap<string, string>): Curl {
  const unknown = new Set<string>();
  const headers: Variable[] = [
    { name: "Content-Type", value: request.bodyType },
    { name: "User-Agent", value: "aliyun-oss-callback" },
    ...(request.host === null ? [] : [{ name: "Host", value: request.host }]),
    ...given(known, "x-oss-bucket", "bucket"),
    ...given(known, "x-oss-request-id", "reqId"),
    ...request.headers.map(starred),
  ];
  const url = addressOf(request);
  const words = [
    // Brackets in an address are no pattern.
    /[[\]{}]/.test(url) ? "curl -i -g" : "curl -i",
    `--max-time ${SECONDS}`,
    ...headers.map(({ name, value }) => `-H ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`),
    // Not --data: a body that begins with @ is no name of a file.
    `--data-raw ${quoted(bodyOf(request, known, unknown))}`,
    quoted(url),
  ];
  return { command: words.join(" \\\n  "), unknown: [...unknown] };
}

/** One word for sh, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function given(known: ReadonlyMap<string, string>, name: string, variable: string): Variable[] {
  const value = known.get(variable);
  return value === undefined ? [] : [{ name, value }];
}

function starred({ name, value }: Variable): Variable {
  return { name, value: SECRET.test(name) ? STARS : value };
}

/** The first address: OSS tries it first, and does not say which one answered. */
function addressOf({ urls, query }: CallbackRequestView): string {
  const first = urls[0] ?? "";
  const whole = /^https?:\/\//i.test(first) ? first : `http://${first}`;
  const [address = "", own] = split(whole.replace(/#.*$/s, ""), "?");
  const pairs = (own ?? "").split("&").filter((pair) => pair !== "").map(withoutSecret);
  const added = query.map(starred).map(({ name, value }) => (value === "" ? encoded(name) : `${encoded(name)}=${encoded(value)}`));
  const behind = [...pairs, ...added].join("&");
  const open = address.replace(/^(https?:\/\/)[^/]*@/i, "$1");
  return behind === "" ? open : `${open}?${behind}`;
}

function withoutSecret(pair: string): string {
  const [name = "", value] = split(pair, "=");
  return value !== undefined && SECRET.test(name) ? `${name}=${STARS}` : pair;
}

function split(text: string, at: string): [string, string | undefined] {
  const place = text.indexOf(at);
  return place < 0 ? [text, undefined] : [text.slice(0, place), text.slice(place + at.length)];
}

function bodyOf(request: CallbackRequestView, known: ReadonlyMap<string, string>, unknown: Set<string>): string {
  const own = new Map(request.variables.map(starred).map(({ name, value }) => [name.startsWith("x:") ? name : `x:${name}`, value]));
  const json = request.bodyType === "application/json";
  return request.body.replace(/\$\{([^${}]+)\}/g, (place, name: string) => {
    const value = own.get(name) ?? known.get(name);
    if (value === undefined) {
      unknown.add(name);
      return place;
    }
    if (!json) return encoded(value);
    return NUMBERS.includes(name) ? value : JSON.stringify(value);
  });
}

/** As OSS escapes a value: all but letters, digits and `-_.~`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
