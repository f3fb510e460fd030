// An invented world: uploads in every state, destinations, folders. For `npm run dev:mock` and for tests.
import type { Limits } from "../bindings/Limits";
import type { CallbackBadge } from "../bindings/CallbackBadge";
import type { Connection } from "../bindings/Connection";
import type { DestinationView } from "../bindings/DestinationView";
import type { Phase } from "../bindings/Phase";
import type { Problem } from "../bindings/Problem";
import type { UploadRow } from "../bindings/UploadRow";
import type { WatchedFolderView } from "../bindings/WatchedFolderView";

export const MIB = 1024 * 1024;
export const GIB = 1024 * MIB;
export const PART_BYTES = 8 * MIB;
export const JSON_BODY = '{"bucket":${bucket},"object":${object},"size":${size},"crc64":${crc64},"job":${x:job}}';

const BAD: readonly CallbackBadge["kind"][] = ["failed", "unknown", "notAsExpected"];

export function mockRow(some: Partial<UploadRow> & { no: number }): UploadRow {
  const name = some.name ?? `A001_C${String(some.no).padStart(3, "0")}_1120KX.mov`;
  const sizeBytes = some.sizeBytes ?? 512 * MIB;
  const partsTotal = some.partsTotal ?? (sizeBytes > PART_BYTES ? Math.ceil(sizeBytes / PART_BYTES) : 0);
  const phase: Phase = some.phase ?? "queued";
  const callback = some.callback ?? { kind: "waiting" };
  const sentBytes = some.sentBytes ?? (phase === "done" ? sizeBytes : 0);
  return {
    batch: 1, name, path: `/home/mei/footage/${name}`, bucket: "media-prod", key: `raw/2026/11/cam-a/${name}`,
    destination: "media-prod", sizeBytes, phase, sentBytes, bytesPerSecond: 0, etaSeconds: null,
    partsDone: Math.floor((sentBytes / sizeBytes) * partsTotal), partsTotal, verified: phase === "done", alreadyThere: null,
    callback, callbackBad: phase === "done" && BAD.includes(callback.kind), columns: [], problem: null, retryAtMs: null, attempts: 1, createdMs: 0,
    finishedMs: phase === "done" ? 0 : null, ...some,
  };
}

const answered = (tookMs: number): CallbackBadge => ({ kind: "answered", status: 200, tookMs });
const failed = (ec: string, message: string): CallbackBadge => ({ kind: "failed", ec, message });
const problem = (code: Problem["code"], message: string): Problem => ({
  code, message, requestId: "673DB2EB8B9F3A3034C1A7F2", ec: code === "accessDenied" ? "0003-00000001" : null,
});

/** The first rows are the ones of the design, then a long queue. `nowMs` dates them. */
export function mockRows(nowMs: number): UploadRow[] {
  const at = (folder: string, name: string, rest: Partial<UploadRow>): Partial<UploadRow> => ({
    name, path: `/home/mei/footage/${folder}/${name}`, key: `raw/2026/11/${folder}/${name}`, ...rest,
  });
  const first: Partial<UploadRow>[] = [
    at("cam-a", "A001_C014_1120KX.mov", {
      phase: "sending", sizeBytes: 18.4 * GIB, sentBytes: 11.6 * GIB, bytesPerSecond: 41.2 * MIB, etaSeconds: 172,
    }),
    at("cam-a", "A001_C015_1120KX.mov", {
      phase: "sending", sizeBytes: 15.1 * GIB, sentBytes: 1.3 * GIB, bytesPerSecond: 38.9 * MIB, etaSeconds: 363,
    }),
    at("edit", "interview-cut-03.mp4", {
      phase: "done", sizeBytes: 2480343613, callback: failed("0007-00000203", "Error status : 502."),
    }),
    at("design", "发布会-主视觉.psd", { phase: "done", sizeBytes: 486 * MIB, callback: answered(84), columns: [{ name: "Job", value: "7f3c" }] }),
    at("design", "poster-4k.tif", { phase: "paused", sizeBytes: 236 * MIB, sentBytes: 88 * MIB }),
    at("cam-d", "drone-0771.mp4", {
      phase: "failed", sizeBytes: 1.08 * GIB, sentBytes: 0.02 * GIB, callback: { kind: "notSent" },
      problem: problem("accessDenied", "PutObject to media-prod: AccessDenied, no oss:PutObject on raw/"),
    }),
    at("edit", "notes.txt", { phase: "done", sizeBytes: 3072, callback: answered(61) }),
    at("stills", "contact-sheet.pdf", { phase: "completing", sizeBytes: 64 * MIB, sentBytes: 64 * MIB }),
    at("stills", "still-2291.jpg", {
      sizeBytes: 22 * MIB, callback: { kind: "notRequested" }, problem: problem("sourceChanged", "still-2291.jpg grew"),
    }),
    at("cam-b", "B002_C001_1120KX.mov", {
      sizeBytes: 7.4 * GIB, sentBytes: 3.1 * GIB, attempts: 3, retryAtMs: nowMs + 42_000,
      problem: problem("network", "UploadPart 397 to media-prod: connection reset by peer"),
    }),
    at("edit", "teaser-vertical.mp4", {
      phase: "done", sizeBytes: 318 * MIB,
      callback: failed("0007-00000202", "Error status : reply timeout, cost:5002 timeout:5000"),
    }),
    at("edit", "subtitles.srt", { phase: "done", sizeBytes: 41_213, callback: { kind: "unknown" } }),
    at("edit", "credits.mov", {
      phase: "done", sizeBytes: 88 * MIB, callback: { kind: "notAsExpected", status: 200, tookMs: 90, unmet: { pointer: "/status", comparison: "equals", value: "ok" } },
    }),
    at("audio", "room-tone.wav", { phase: "cancelled", sizeBytes: 92 * MIB, callback: { kind: "notSent" } }),
    at("cam-c", "C003_C002_1120KX.mov", { phase: "starting", sizeBytes: 9.2 * GIB }),
  ];
  const rows = first.map((some, index) => ({ ...some, no: 1042 + index }));
  for (let n = 0; n < 240; n += 1) {
    const name = `A001_C${String(n + 16).padStart(3, "0")}_1120KX.mov`;
    rows.push({ no: 1042 + rows.length, ...at("cam-a", name, { sizeBytes: (2 + ((n * 7) % 13)) * 0.9 * GIB }) });
  }
  return rows.map((some) =>
    mockRow({
      ...some, batch: 7, createdMs: nowMs - 600_000, finishedMs: some.phase === "done" ? nowMs - 120_000 : null,
    }),
  );
}

const PLAIN: Connection = {
  ownDomain: false, plainHttp: false, signatureV1: false, caFile: "", proxy: { kind: "system" }, keys: { kind: "keychain" },
};

export function mockDestinations(): DestinationView[] {
  return [
    {
      id: "sandbox", name: "Sandbox", endpoint: "http://127.0.0.1:28080", region: "local", bucket: "sandbox",
      keyTemplate: "{path}", accessKeyId: "sandbox-key", hasSecret: true, hasToken: false, connection: PLAIN, hasProxyPassword: false, callbackProfileId: null, overwrite: "overwrite", builtIn: true, current: false,
      callback: {
        query: [], headers: [], bestEffort: false, expectations: [], columns: [],
        urls: ["http://127.0.0.1:28080/callback"], host: "", body: JSON_BODY, bodyType: "json", sni: false,
        variables: [{ name: "x:job", value: "{uploadNo}" }],
      },
    },
    {
      id: "media", name: "media-prod", endpoint: "https://oss-cn-hangzhou.aliyuncs.com", region: "cn-hangzhou",
      bucket: "media-prod", keyTemplate: "raw/{yyyy}/{mm}/{path}", accessKeyId: "LTAI5tMockMockMock", hasSecret: true,
      hasToken: false, connection: PLAIN, hasProxyPassword: false, callbackProfileId: null, overwrite: "overwrite", builtIn: false, current: true,
      callback: {
        query: [], headers: [], bestEffort: false, expectations: [], columns: [],
        urls: ["https://api.example.com/oss/done", "https://backup.example.com/oss/done"], host: "",
        body: "bucket=${bucket}&object=${object}&size=${size}&mimeType=${mimeType}&job=${x:job}", bodyType: "form",
        sni: true, variables: [{ name: "x:job", value: "spring-launch" }],
      },
    },
    {
      id: "archive", name: "archive", endpoint: "https://oss-cn-beijing.aliyuncs.com", region: "cn-beijing",
      bucket: "studio-archive", keyTemplate: "{yyyy}/{path}", accessKeyId: "STS.MockMock", hasSecret: false,
      hasToken: true, connection: PLAIN, hasProxyPassword: false, callbackProfileId: null, overwrite: "overwrite", builtIn: false, current: false, callback: null,
    },
  ];
}

export function mockFolders(nowMs: number): WatchedFolderView[] {
  const common = { destinationId: "media", destination: "media-prod", callbackProfileId: null, paused: false, problem: null };
  return [
    {
      ...common, id: "f1", path: "/home/mei/footage/incoming", prefix: "raw/", reachable: true, settling: 2,
      uploaded: 1204, lastScanMs: nowMs - 4_000,
    },
    {
      ...common, id: "f2", path: "/media/mei/CARD-07", prefix: "", reachable: false, settling: 0, uploaded: 87,
      lastScanMs: nowMs - 86_400_000,
      problem: { code: "watch", message: "/media/mei/CARD-07 is not there", requestId: null, ec: null },
    },
    {
      ...common, id: "f3", path: "/home/mei/exports", prefix: "exports/", reachable: true, paused: true, settling: 0,
      uploaded: 1, lastScanMs: null,
    },
  ];
}

/** Office hours at 2 MB/s. */
export function mockLimits(): Limits {
  const office = { bytesPerSecond: 2 * MIB, requestsPerSecond: null };
  const timetable = [{ days: [1, 2, 3, 4, 5], fromMinute: 540, untilMinute: 1080, limit: office }];
  const usual = { bytesPerSecond: null, requestsPerSecond: null };
  return { everywhere: { usual, timetable }, destinations: [], requestsAtOnce: null };
}
