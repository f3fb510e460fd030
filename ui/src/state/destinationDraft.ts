// What stands in the destination form, and how it becomes what is sent. Pure.
import type { BodyKind } from "../bindings/BodyKind";
import type { CallbackProfileForm } from "../bindings/CallbackProfileForm";
import type { Connection } from "../bindings/Connection";
import type { DestinationForm } from "../bindings/DestinationForm";
import type { DestinationView } from "../bindings/DestinationView";
import type { KeySource } from "../bindings/KeySource";
import type { OverwritePolicy } from "../bindings/OverwritePolicy";
import type { Proxy } from "../bindings/Proxy";

export interface DestinationDraft {
  id: string | null;
  name: string;
  endpoint: string;
  region: string;
  bucket: string;
  keyTemplate: string;
  overwrite: OverwritePolicy;
  accessKeyId: string;
  /** Typed by the person; empty keeps the stored one. Never filled from the backend. */
  secret: string;
  /** As `secret`. */
  token: string;
  removeToken: boolean;
  /** All but the proxy and the keys, which are edited as the fields below. */
  connection: Connection;
  connectionOpen: boolean;
  proxyKind: Proxy["kind"];
  proxyUrl: string;
  /** As `secret`. */
  proxyPassword: string;
  keySource: KeySource["kind"];
  /** The one thing a source may need: an address, a file, a profile or a role. */
  keySourceValue: string;
  withCallback: boolean;
  /** A profile with a name; null for a callback of the destination's own. */
  callbackProfileId: string | null;
  callback: CallbackProfileForm;
}

export const KEY_SOURCES: readonly KeySource["kind"][] = [
  "keychain", "environment", "uri", "appServer", "ossutil", "aliyunCli", "credentialsFile", "ecsRole",
];

/** What a source has to be told, if anything. */
export function sourceField(kind: KeySource["kind"]): "url" | "path" | "profile" | "role" | null {
  switch (kind) {
    case "uri":
    case "appServer":
      return "url";
    case "ossutil":
      return "path";
    case "aliyunCli":
    case "credentialsFile":
      return "profile";
    case "ecsRole":
      return "role";
    default:
      return null;
  }
}

export const OVERWRITE_POLICIES: readonly OverwritePolicy[] = ["overwrite", "skipIdentical", "forbid", "rename", "newer"];

export const LARGEST_URLS = 5;

export const BODIES: Record<BodyKind, string> = {
  json: [
    "{",
    '  "bucket": ${bucket},',
    '  "object": ${object},',
    '  "size": ${size},',
    '  "etag": ${etag},',
    '  "mimeType": ${mimeType},',
    '  "uploadNo": ${x:upload_no}',
    "}",
  ].join("\n"),
  form: "bucket=${bucket}&object=${object}&size=${size}&etag=${etag}&mimeType=${mimeType}&uploadNo=${x:upload_no}",
};

const PLAIN: Connection = {
  ownDomain: false, plainHttp: false, signatureV1: false, caFile: "", proxy: { kind: "system" }, keys: { kind: "keychain" },
};

function connectionDraft(connection: Connection) {
  const { proxy, keys } = connection;
  const field = sourceField(keys.kind);
  return {
    connection: structuredClone(connection),
    connectionOpen: connection.caFile !== "" || connection.plainHttp || connection.signatureV1 || proxy.kind !== "system",
    proxyKind: proxy.kind,
    proxyUrl: proxy.kind === "at" ? proxy.url : "",
    proxyPassword: "",
    keySource: keys.kind,
    keySourceValue: field === null ? "" : ((keys as Record<string, string>)[field] ?? ""),
  };
}

function connectionOf(draft: DestinationDraft): Connection {
  const { ownDomain, plainHttp, signatureV1, caFile } = draft.connection;
  const field = sourceField(draft.keySource);
  const keys = field === null ? { kind: draft.keySource } : { kind: draft.keySource, [field]: draft.keySourceValue.trim() };
  return {
    ownDomain, plainHttp, signatureV1, caFile: caFile.trim(),
    proxy: draft.proxyKind === "at" ? { kind: "at", url: draft.proxyUrl.trim() } : { kind: draft.proxyKind },
    keys: keys as KeySource,
  };
}

/** What the short form of a destination does not show. */
const MORE: Pick<CallbackProfileForm, "query" | "headers" | "bestEffort" | "expectations" | "columns"> = {
  query: [],
  headers: [],
  bestEffort: false,
  expectations: [],
  columns: [],
};

function newCallback(): CallbackProfileForm {
  return {
    ...MORE,
    urls: [""],
    host: "",
    body: BODIES.json,
    bodyType: "json",
    sni: true,
    variables: [{ name: "x:upload_no", value: "{uploadNo}" }],
  };
}

export function newDraft(): DestinationDraft {
  return {
    id: null, name: "", endpoint: "", region: "", bucket: "", keyTemplate: "{path}", overwrite: "overwrite", accessKeyId: "",
    secret: "", token: "", removeToken: false, ...connectionDraft(PLAIN), withCallback: false, callbackProfileId: null, callback: newCallback(),
  };
}

export function draftOf(view: DestinationView): DestinationDraft {
  return {
    id: view.id,
    name: view.name,
    endpoint: view.endpoint,
    region: view.region,
    bucket: view.bucket,
    keyTemplate: view.keyTemplate,
    overwrite: view.overwrite,
    accessKeyId: view.accessKeyId,
    secret: "",
    token: "",
    removeToken: false,
    ...connectionDraft(view.connection),
    withCallback: view.callback !== null || view.callbackProfileId !== null,
    callbackProfileId: view.callbackProfileId,
    callback: view.callback ? structuredClone(view.callback) : newCallback(),
  };
}

/** Blanks around pasted values are never meant. A draft in `$state` becomes plain data here. */
export function formOf(draft: DestinationDraft): DestinationForm {
  const token = draft.token.trim();
  return {
    id: draft.id,
    name: draft.name.trim(),
    endpoint: draft.endpoint.trim(),
    region: draft.region.trim(),
    bucket: draft.bucket.trim(),
    keyTemplate: draft.keyTemplate.trim(),
    overwrite: draft.overwrite,
    accessKeyId: draft.accessKeyId.trim(),
    accessKeySecret: draft.secret.trim() || null,
    securityToken: draft.removeToken ? "" : token || null,
    callback: draft.withCallback && draft.callbackProfileId === null ? callbackOf(draft.callback) : null,
    callbackProfileId: draft.withCallback ? draft.callbackProfileId : null,
    connection: connectionOf(draft),
    proxyPassword: draft.proxyKind === "at" ? draft.proxyPassword || null : "",
  };
}

function callbackOf(callback: CallbackProfileForm): CallbackProfileForm {
  return {
    ...callback,
    urls: callback.urls.map((url) => url.trim()).filter((url) => url !== ""),
    host: callback.host.trim(),
    body: callback.body,
    bodyType: callback.bodyType,
    sni: callback.sni,
    variables: callback.variables
      .map(({ name, value }) => ({ name: name.trim(), value }))
      .filter(({ name }) => name !== ""),
  };
}

/** Another body type brings its own example, unless the person has written a body. */
export function bodyFor(kind: BodyKind, body: string): string {
  const untouched = body.trim() === "" || Object.values(BODIES).includes(body);
  return untouched ? BODIES[kind] : body;
}
