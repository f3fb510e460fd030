// Profiles, lab requests and times of the invented world.
import type { CallbackProfileForm } from "../bindings/CallbackProfileForm";
import type { CallbackProfileView } from "../bindings/CallbackProfileView";
import type { CallbackTimes } from "../bindings/CallbackTimes";
import type { LabRequest } from "../bindings/LabRequest";

export function mockForm(some: Partial<CallbackProfileForm> = {}): CallbackProfileForm {
  return {
    urls: ["https://api.example.com/oss/done"], host: "", body: "object=${object}", bodyType: "form", sni: true,
    variables: [], query: [], headers: [], bestEffort: false, expectations: [], columns: [], ...some,
  };
}

const EDIT_BODY = [
  "{", '  "bucket": ${bucket},', '  "object": ${object},', '  "size": ${size},', '  "type": "${mimeType}",',
  '  "job": ${x:job},', '  "waybill": ${x:upload_no}', "}",
].join("\n");

export function mockProfiles(): CallbackProfileView[] {
  return [
    {
      id: "edit", name: "Edit finished", usedBy: ["media-prod"],
      form: mockForm({
        urls: ["https://api.example.com/oss/done", "https://backup.example.com/oss/done"],
        query: [{ name: "team", value: "edit" }], body: EDIT_BODY, bodyType: "json",
        variables: [
          { name: "x:job", value: "spring-launch" }, { name: "x:upload_no", value: "{uploadNo}-{uuid}" },
          { name: "x:editor", value: "mei" },
        ],
        expectations: [{ pointer: "/status", comparison: "equals", value: "ok" }],
        columns: [{ title: "Job", pointer: "/job/id" }],
      }),
    },
    { id: "transcode", name: "Transcode", usedBy: [], form: mockForm({ urls: ["https://media.example.com/jobs"] }) },
    { id: "print", name: "Print order", usedBy: [], form: mockForm({ urls: ["https://orders.example.cn/cb"], bestEffort: true }) },
    { id: "local", name: "Local lab", usedBy: ["Sandbox"], form: mockForm({ urls: ["http://127.0.0.1:28100/callback"], sni: false }) },
  ];
}

export function mockLabRequests(nowMs: number): LabRequest[] {
  const body = "object=raw%2F2026%2Fnotes.txt&size=3072";
  const signed = `/callback\n${body}`;
  const headers = [
    { name: "Host", value: "127.0.0.1:28100" }, { name: "Content-Type", value: "application/x-www-form-urlencoded" },
    { name: "x-oss-tag", value: "CALLBACK" },
  ];
  const some = { method: "POST", target: "/callback", headers, body, wholeBytes: null, answered: 200 };
  return [
    { ...some, no: 2, atMs: nowMs - 4_000, signature: { kind: "sandbox", signed, keyUrl: "http://127.0.0.1:28080/key.pem" } },
    { ...some, no: 1, atMs: nowMs - 60_000, answered: 502, signature: { kind: "missing", signed, keyUrl: "" } },
  ];
}

/** Most answers are quick, some are near the line of 5 s, some ran over it. */
export function mockTimes(nowMs: number): CallbackTimes {
  const calls = Array.from({ length: 240 }, (_, at) => {
    const slow = at % 41 === 0;
    const tookMs = slow ? 5002 : Math.round(60 * 1.9 ** ((at * 37) % 6) + ((at * 53) % 90));
    return { atMs: nowMs - (240 - at) * 300_000, tookMs, ok: !slow && at % 29 !== 3 };
  });
  return { calls, failures: [{ ec: "0007-00000203", count: 8 }, { ec: "0007-00000202", count: 6 }, { ec: "", count: 1 }], bad: 0 };
}
