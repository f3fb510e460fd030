// What the invented world tells of one upload: object, callback, parts, log.
import type { AttemptView } from "../bindings/AttemptView";
import type { CallbackView } from "../bindings/CallbackView";
import type { DestinationView } from "../bindings/DestinationView";
import type { LogLine } from "../bindings/LogLine";
import type { PartView } from "../bindings/PartView";
import type { Problem } from "../bindings/Problem";
import type { UploadDetails } from "../bindings/UploadDetails";
import type { UploadRow } from "../bindings/UploadRow";
import { PART_BYTES } from "./mockWorld";

const REQUEST_ID = "673DB2EB8B9F3A3034C1A7F2";

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
        urls: profile.urls, host: profile.host || null, body: profile.body, variables: profile.variables, sni: profile.sni,
        bodyType: profile.bodyType === "json" ? "application/json" : "application/x-www-form-urlencoded",
      }
    : null;
  if (badge.kind === "answered" || badge.kind === "notAsExpected") {
    const answer = `{"ok":true,"id":18446744073709551615,"asset":{"name":${JSON.stringify(row.name)},"tags":["raw","2026"]}}`;
    return { badge, request, answer, answerType: "application/json", calls: [] };
  }
  if (badge.kind === "failed") {
    const answer = [
      '<?xml version="1.0" encoding="UTF-8"?>', "<Error>", "  <Code>CallbackFailed</Code>",
      `  <Message>${badge.message}</Message>`, `  <RequestId>${REQUEST_ID}</RequestId>`, `  <EC>${badge.ec}</EC>`, "</Error>",
    ].join("\n");
    return { badge, request, answer, answerType: "application/xml", calls: [] };
  }
  return { badge, request, answer: null, answerType: null, calls: [] };
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
