// The callback studio of the invented world: profiles, a small linter and preview, the lab, snippets.
import type { CallbackProfileDraft } from "../bindings/CallbackProfileDraft";
import type { CallbackProfileForm } from "../bindings/CallbackProfileForm";
import type { CallbackProfileView } from "../bindings/CallbackProfileView";
import type { CallbackStudy } from "../bindings/CallbackStudy";
import type { CallbackStudyForm } from "../bindings/CallbackStudyForm";
import type { CallbackTimes } from "../bindings/CallbackTimes";
import type { CallbackTrial } from "../bindings/CallbackTrial";
import type { ImportedCallback } from "../bindings/ImportedCallback";
import type { IpcError } from "../bindings/IpcError";
import type { LabAnswer } from "../bindings/LabAnswer";
import type { LabView } from "../bindings/LabView";
import type { SignatureCheckForm } from "../bindings/SignatureCheckForm";
import type { SignatureKind } from "../bindings/SignatureKind";
import type { SignatureVerdict } from "../bindings/SignatureVerdict";
import type { SnippetLanguage } from "../bindings/SnippetLanguage";
import { mockFindings, mockPreview } from "./mockStudy";
import { mockForm, mockLabRequests, mockProfiles, mockTimes } from "./mockProfiles";

const OSS_KEY_URL = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem";

export class MockStudio {
  profiles: CallbackProfileView[] = mockProfiles();
  labView: LabView = {
    url: null, requests: [], answer: { status: 200, contentType: "application/json", body: '{"status":"ok"}', delayMs: 0 },
  };
  /** What a one-byte test answers. */
  answer: Partial<CallbackTrial> = {};
  #profileIds = 0;

  listCallbackProfiles = async (): Promise<CallbackProfileView[]> => this.profiles;

  async saveCallbackProfile(draft: CallbackProfileDraft): Promise<CallbackProfileView> {
    if (draft.name === "") throw invalid("a callback profile needs a name");
    const before = this.profiles.find(({ id }) => id === draft.id);
    const saved = { ...draft, id: before?.id ?? `new${++this.#profileIds}`, usedBy: before?.usedBy ?? [] };
    this.profiles = before ? this.profiles.map((one) => (one === before ? saved : one)) : [...this.profiles, saved];
    return saved;
  }

  async deleteCallbackProfile(id: string): Promise<void> {
    this.profiles = this.profiles.filter((one) => one.id !== id);
  }

  async studyCallback({ form, path }: CallbackStudyForm): Promise<CallbackStudy> {
    const findings = mockFindings(form);
    const refused = findings.find(({ rule }) => rule === "emptyUrl");
    if (refused) return { preview: null, refusal: "there is no address to call", findings, unresolved: false };
    return { preview: await mockPreview(form, path), refusal: null, findings, unresolved: false };
  }

  async importCallback(text: string): Promise<ImportedCallback> {
    const url = /https?:\/\/[^\s"'\\;]+/.exec(text)?.[0];
    if (url === undefined) throw invalid("no callback was found in this text");
    const language: SnippetLanguage = /setCallbackUrl/.test(text) ? "java" : /oss2|json\.dumps/.test(text) ? "python" : "rest";
    const escaped = text.includes('\\"');
    const body = '{"object":${object},"size":${size},"var1":${x:var1}}';
    return {
      language,
      form: mockForm({ urls: [url], body, bodyType: "json", variables: [{ name: "x:var1", value: "value1" }] }),
      notes: [
        ...(escaped ? [{ trap: "escapedQuotes" as const, about: '\\"object\\"' }] : []),
        ...(language === "java" ? [{ trap: "readLimit" as const, about: "1024" }] : []),
      ],
    };
  }

  async exportCallback(form: CallbackProfileForm, language: SnippetLanguage): Promise<string> {
    const url = form.urls[0] ?? "";
    if (language === "java") return `Callback callback = new Callback();\ncallback.setCallbackUrl("${url}");\n`;
    return `# ${language}\ncallbackUrl = "${url}"\ncallbackBody = ${JSON.stringify(form.body)}\n`;
  }

  async testCallback(form: CallbackProfileForm, destinationId: string | null): Promise<CallbackTrial> {
    if (destinationId === "archive") throw invalid("archive has no key");
    if (form.urls.length === 0) throw invalid("there is no address to call");
    return trial({ requestId: "673DB2EB8B9F3A3034C1A7F2", signedByOss: true, ...this.answer });
  }

  async probeServer(): Promise<CallbackTrial> {
    return trial({ status: 403, body: '{"error":"the signature is missing"}', tookMs: 31 });
  }

  lab = async (): Promise<LabView> => this.labView;

  async startLab(port: number): Promise<LabView> {
    if (port < 1024) throw invalid(`port ${port} cannot be listened on`);
    this.labView = { ...this.labView, url: `http://127.0.0.1:${port}/callback`, requests: mockLabRequests(Date.now()) };
    return this.labView;
  }

  async stopLab(): Promise<void> {
    this.labView = { ...this.labView, url: null };
  }

  async setLabAnswer(answer: LabAnswer): Promise<LabView> {
    this.labView = { ...this.labView, answer };
    return this.labView;
  }

  async clearLab(): Promise<void> {
    this.labView = { ...this.labView, requests: [] };
  }

  async checkSignature({ url, headers, body }: SignatureCheckForm): Promise<SignatureVerdict> {
    const signed = `${url.replace(/^https?:\/\/[^/]+/, "")}\n${body}`;
    const verdict = (kind: SignatureKind, keyUrl: string) => ({ kind, signed, keyUrl });
    if (!/^authorization:/im.test(headers)) return verdict("missing", "");
    if (!/^x-oss-pub-key-url:/im.test(headers)) return verdict("noKey", "");
    return /^x-oss-pub-key-url:\s*aHR0c/im.test(headers) ? verdict("oss", OSS_KEY_URL) : verdict("foreignKey", "http://evil.example.com/key.pem");
  }

  async callbackTimes(profileId: string): Promise<CallbackTimes> {
    return profileId === "edit" ? mockTimes(Date.now()) : { calls: [], failures: [], bad: 0 };
  }
}

function trial(some: Partial<CallbackTrial>): CallbackTrial {
  return {
    atMs: Date.now(), tookMs: 84, status: 200, headers: [{ name: "content-type", value: "application/json" }],
    body: '{"status":"ok","job":{"id":"7f3c"}}', ec: null, requestId: "", signedByOss: false, problem: null, advice: null, leftBehind: null, ...some,
  };
}

function invalid(message: string): IpcError {
  return { code: "invalid", message, requestId: null };
}
