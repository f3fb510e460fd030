// A linter with four rules and a preview with samples: enough to see the studio work without an engine.
import type { CallbackFinding } from "../bindings/CallbackFinding";
import type { CallbackPreview } from "../bindings/CallbackPreview";
import type { CallbackProfileForm } from "../bindings/CallbackProfileForm";
import type { CarriedView } from "../bindings/CarriedView";
import type { SampleSpan } from "../bindings/SampleSpan";

const LIMIT = 5120;
const VARIABLE = /\$\{([^{}]*)\}/g;
const SAMPLES: Record<string, string> = { etag: "5D41402ABC4B2A76B9719D911017C592", crc64: "9223372036854775809", reqId: "673DB2EB8B9F3A30", clientIp: "203.0.113.7" };
const NULL_WHEN_EMPTY = ["imageInfo.width", "imageInfo.height", "imageInfo.format", "vpcId", "contentMd5"];
const KNOWN = ["bucket", "object", "size", "mimeType", "operation", ...Object.keys(SAMPLES), ...NULL_WHEN_EMPTY];

export function mockFindings(form: CallbackProfileForm): CallbackFinding[] {
  const found: CallbackFinding[] = [];
  const none = { row: null, start: null, end: null, cured: null };
  if (form.urls.every((url) => url.trim() === "")) {
    found.push({ ...none, rule: "emptyUrl", level: "error", about: "", field: "url", row: 0 });
  }
  if (form.bodyType === "json") {
    for (const match of form.body.matchAll(/"\$\{([^{}]*)\}"/g)) {
      const end = match.index + match[0].length;
      const body = form.body.slice(0, match.index) + match[0].slice(1, -1) + form.body.slice(end);
      const about = match[1] ?? "";
      found.push({ rule: "quotedVariable", level: "error", about, field: "body", row: null, start: match.index, end, cured: { ...form, body } });
    }
  }
  for (const match of form.body.matchAll(VARIABLE)) {
    const name = match[1] ?? "";
    const ours = form.variables.some((one) => one.name === name);
    if (ours || KNOWN.includes(name)) continue;
    const place = { start: match.index, end: match.index + match[0].length };
    found.push({ ...none, ...place, rule: name.startsWith("x:") ? "undefinedVariable" : "unknownVariable", level: "error", about: name, field: "body" });
  }
  form.variables.forEach((one, row) => {
    if (one.name === "" || form.body.includes(`\${${one.name}}`)) return;
    const cured = { ...form, variables: form.variables.filter((other) => other !== one) };
    found.push({ ...none, rule: "unusedVariable", level: "warning", about: one.name, field: "variables", row, cured });
  });
  if (!form.sni && form.urls.some((url) => url.startsWith("https:"))) {
    found.push({ ...none, rule: "httpsWithoutSni", level: "warning", about: form.urls[0] ?? "", field: "sni", cured: { ...form, sni: true } });
  }
  return found;
}

function carried(value: object): CarriedView {
  const json = JSON.stringify(value);
  const base64 = btoa(String.fromCharCode(...new TextEncoder().encode(json)));
  return { json, base64, bytes: base64.length, limit: LIMIT };
}

export async function mockPreview(form: CallbackProfileForm, path: string | null): Promise<CallbackPreview> {
  const file = path?.split("/").at(-1) ?? "interview-cut-03.mp4";
  const isJson = form.bodyType === "json";
  const facts: Record<string, string | number> = {
    bucket: "media-prod", object: `raw/2026/11/edit/${file}`, size: 2480343613, mimeType: "video/mp4", operation: "CompleteMultipartUpload",
    ...SAMPLES,
  };
  const ours = (template: string) => template.replaceAll("{uploadNo}", "1042").replaceAll("{batch.no}", "17").replaceAll("{uuid}", "7f3c2d10-9a55").replaceAll("{name}", file);
  for (const { name, value } of form.variables) facts[name] = ours(value);
  const value = (name: string) => {
    const fact = facts[name];
    if (isJson) return fact === undefined ? "null" : JSON.stringify(fact);
    return encodeURIComponent(String(fact ?? ""));
  };
  let body = "";
  let from = 0;
  const samples: SampleSpan[] = [];
  for (const match of form.body.matchAll(VARIABLE)) {
    const name = match[1] ?? "";
    body += form.body.slice(from, match.index);
    const start = body.length;
    body += value(name);
    if (name in SAMPLES) samples.push({ start, end: body.length, name });
    from = match.index + match[0].length;
  }
  body += form.body.slice(from);
  const url = new URL(/^https?:/.test(form.urls[0] ?? "") ? (form.urls[0] ?? "") : "http://invalid");
  for (const { name, value: text } of form.query) url.searchParams.append(name, text);
  const type = isJson ? "application/json" : "application/x-www-form-urlencoded";
  return {
    file, body, samples,
    requestLine: `POST ${url.pathname}${url.search} HTTP/1.1`,
    headers: [
      { name: "Host", value: form.host || url.host }, { name: "Content-Type", value: type },
      { name: "Content-Length", value: String(new TextEncoder().encode(body).length) }, ...form.headers,
    ],
    decoded: isJson ? [] : [...new URLSearchParams(body)].map(([name, text]) => ({ name, value: text })),
    callback: carried({ callbackUrl: form.urls.join(";"), callbackBody: form.body, callbackBodyType: type, callbackSNI: form.sni }),
    callbackVar: form.variables.length > 0 ? carried(Object.fromEntries(form.variables.map((one) => [one.name, ours(one.value)]))) : null,
  };
}
