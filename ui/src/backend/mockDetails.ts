// What the invented world tells of one upload: object, callback, parts, log.
import type { AttemptView } from "../bindings/AttemptView";
import type { CallbackTrial } from "../bindings/CallbackTrial";
import type { CallbackView } from "../bindings/CallbackView";
import type { DestinationView } from "../bindings/DestinationView";
import type { EcAdvice } from "../bindings/EcAdvice";
import type { ExpectationView } from "../bindings/ExpectationView";
import type { LogLine } from "../bindings/LogLine";
import type { PartView } from "../bindings/PartView";
import type { Problem } from "../bindings/Problem";
import type { UploadDetails } from "../bindings/UploadDetails";
import type { UploadRow } from "../bindings/UploadRow";
import { PART_BYTES } from "./mockWorld";

const REQUEST_ID = "673DB2EB8B9F3A3034C1A7F2";
const NOT_MADE: Problem = { code: "bucket", message: "CopyObject: the object was replaced meanwhile", requestId: null, ec: null };
/** As the catalogue says it. */
const ADVICE: EcAdvice = {
  ec: "0007-00000203",
  causeEn: "A proxy in front of your server found it down or broken.",
  cureEn: "The file is stored; do not upload it again. Look at your server's log, mend it, then send the callback again.",
  causeZh: "应用服务器前的代理发现它已停止或出错。",
  cureZh: "文件已存入，不必重新上传。请查看服务器日志，修复后重新发送回调。",
};

export function mockDetails(row: UploadRow, destination: DestinationView | undefined): UploadDetails {
  const done = row.phase === "done";
  return {
    row,
    object: done
      ? {
          bucket: row.bucket, key: row.key, sizeBytes: row.sizeBytes,
          etag: row.partsTotal > 0 ? `9C1E0B5A7D6F44C2A1B0E8D3F7A6C5B4-${row.partsTotal}` : "5D41402ABC4B2A76B9719D911017C592",
          crc64: "9223372036854775809", verified: row.verified, requestId: REQUEST_ID, versionId: null,
          storedMs: row.finishedMs ?? 0, tookMs: 57_000,
        }
      : null,
    callback: callback(row, destination),
    parts: parts(row),
    partSizeBytes: row.partsTotal > 0 ? PART_BYTES : 0,
    attempts: row.problem && row.attempts > 1 ? attempts(row, row.problem) : [],
    log: log(row),
  };
}

function callback(row: UploadRow, destination: DestinationView | undefined): CallbackView {
  const badge = row.callback;
  const profile = badge.kind === "notRequested" ? null : destination?.callback;
  const request = profile
    ? {
        urls: profile.urls, query: profile.query, host: profile.host || null, headers: profile.headers, body: profile.body,
        variables: profile.variables, sni: profile.sni,
        bodyType: profile.bodyType === "json" ? "application/json" : "application/x-www-form-urlencoded",
      }
    : null;
  const nothing = { badge, request, answer: null, answerType: null, expectations: [], calls: [] };
  const headers = [{ name: "content-type", value: "application/json" }, { name: "x-oss-server-time", value: "87" }];
  const trial: CallbackTrial = {
    atMs: row.finishedMs ?? 0, tookMs: 84, status: 200, headers, body: "", ec: null, requestId: REQUEST_ID, signedByOss: true, problem: null,
    advice: null,
    leftBehind: null,
  };
  if (badge.kind === "answered" || badge.kind === "notAsExpected") {
    const name = JSON.stringify(row.name);
    const answer = `{"ok":true,"status":"queued","id":18446744073709551615,"asset":{"name":${name},"tags":["raw","2026"],"link":"https://media.example.com/a/7f3c"},"job":{"id":"7f3c","queue":"proxy"}}`;
    const unmet = badge.kind === "notAsExpected";
    const expectations: ExpectationView[] = [
      { expectation: { pointer: "/ok", comparison: "exists", value: "" }, found: "true", met: true },
      { expectation: { pointer: "/status", comparison: "equals", value: "ok" }, found: "queued", met: false },
    ];
    const calls = [{ ...trial, tookMs: badge.tookMs, body: answer }];
    return { ...nothing, answer, answerType: "application/json", expectations: unmet ? expectations : [], calls };
  }
  if (badge.kind === "failed") {
    const answer = [
      '<?xml version="1.0" encoding="UTF-8"?>', "<Error>", "  <Code>CallbackFailed</Code>",
      `  <Message>${badge.message}</Message>`, `  <RequestId>${REQUEST_ID}</RequestId>`, `  <EC>${badge.ec}</EC>`, "</Error>",
    ].join("\n");
    const late = badge.ec === "0007-00000202";
    const failed = { ...trial, status: 203, tookMs: late ? 5_012 : 131, headers: [], body: answer, ec: badge.ec, advice: late ? null : ADVICE };
    const notMade = { ...failed, atMs: failed.atMs + 9_000, status: 0, tookMs: 0, body: "", ec: null, requestId: "", advice: null, problem: NOT_MADE };
    return { ...nothing, answer, answerType: "application/xml", calls: [{ ...failed, atMs: failed.atMs - 60_000 }, failed, notMade] };
  }
  return nothing;
}

function parts(row: UploadRow): PartView[] {
  return Array.from({ length: row.partsTotal }, (_, at) => {
    const stored = at < row.partsDone;
    return {
      number: at + 1,
      sizeBytes: Math.min(PART_BYTES, row.sizeBytes - at * PART_BYTES),
      etag: stored ? (0xabc000 + at * 7919).toString(16).toUpperCase().padStart(32, "7D") : null,
      crc64: stored ? String(9_000_000_000_000_000 + at) : null,
    };
  });
}

function attempts(row: UploadRow, problem: Problem): AttemptView[] {
  return Array.from({ length: row.attempts - 1 }, (_, at) => ({ atMs: row.createdMs + 2000 * (at + 1), phase: "sending", problem }));
}

function log(row: UploadRow): LogLine[] {
  const at = row.createdMs;
  const lines: LogLine[] = [{ atMs: at, what: "queued", detail: row.path }];
  if (row.phase !== "queued") lines.push({ atMs: at + 1000, what: "sending", detail: `${row.partsTotal} parts` });
  if (row.problem) lines.push({ atMs: at + 9000, what: row.retryAtMs ? "retry" : "failed", detail: row.problem.message });
  if (row.phase === "paused") lines.push({ atMs: at + 9000, what: "paused", detail: "" });
  if (row.phase === "cancelled") lines.push({ atMs: at + 9000, what: "cancelled", detail: "" });
  if (row.phase === "done") {
    lines.push({ atMs: at + 56_000, what: "finishing", detail: "CRC-64 9223372036854775809" });
    lines.push({ atMs: at + 57_000, what: "stored", detail: `callback ${row.callback.kind}` });
  }
  return lines;
}
