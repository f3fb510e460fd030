import { afterEach, expect, test, vi } from "vitest";

import { MockBackend } from "./mock";
import { COMMANDS, toIpcError, type Backend } from "./types";

type Invocation = [command: string, args: unknown];

/** Stands in for the window that Tauri provides. */
async function tauri(answer: unknown = null) {
  const calls: Invocation[] = [];
  vi.stubGlobal("__TAURI_INTERNALS__", {
    invoke: async (command: string, args: unknown) => {
      calls.push([command, args]);
      return answer;
    },
    transformCallback: () => 1,
    metadata: { currentWindow: { label: "main" }, currentWebview: { label: "main", windowLabel: "main" } },
  });
  const { TauriBackend } = await import("./tauri");
  return { backend: new TauriBackend(), calls };
}

afterEach(() => vi.unstubAllGlobals());

const form = { id: null } as never;
const CALLS: { [Method in keyof typeof COMMANDS]: { args: Parameters<Backend[Method]>; sent: unknown } } = {
  appInfo: { args: [], sent: undefined },
  listUploads: { args: [form], sent: { query: form } },
  uploadDetails: { args: [7], sent: { no: 7 } },
  counts: { args: [], sent: undefined },
  addPaths: { args: [["/a"], null, "p"], sent: { paths: ["/a"], destinationId: null, callbackProfileId: "p" } },
  pauseUpload: { args: [7], sent: { no: 7 } },
  resumeUpload: { args: [7], sent: { no: 7 } },
  retryUpload: { args: [7], sent: { no: 7 } },
  cancelUpload: { args: [7], sent: { no: 7 } },
  wishMany: { args: [form, "first"], sent: { selection: form, wish: "first" } },
  pauseAll: { args: [], sent: undefined },
  resumeAll: { args: [], sent: undefined },
  retryFailed: { args: [], sent: undefined },
  clearFinished: { args: [], sent: undefined },
  listDestinations: { args: [], sent: undefined },
  saveDestination: { args: [form], sent: { form } },
  deleteDestination: { args: ["d"], sent: { id: "d" } },
  setCurrentDestination: { args: ["d"], sent: { id: "d" } },
  testConnection: { args: [form], sent: { form } },
  listWatchedFolders: { args: [], sent: undefined },
  saveWatchedFolder: { args: [form], sent: { form } },
  deleteWatchedFolder: { args: ["f"], sent: { id: "f" } },
  pauseWatchedFolder: { args: ["f", true], sent: { id: "f", paused: true } },
  limits: { args: [], sent: undefined },
  saveLimits: { args: [form], sent: { limits: form } },
  listCallbackProfiles: { args: [], sent: undefined },
  saveCallbackProfile: { args: [form], sent: { draft: form } },
  deleteCallbackProfile: { args: ["p"], sent: { id: "p" } },
  studyCallback: { args: [form], sent: { form } },
  importCallback: { args: ["text"], sent: { text: "text" } },
  exportCallback: { args: [form, "java"], sent: { form, language: "java" } },
  testCallback: { args: [form, null], sent: { form, destinationId: null } },
  probeServer: { args: [form], sent: { form } },
  planResend: { args: [7], sent: { no: 7 } },
  resendCallbacks: { args: ["allBad"], sent: { selection: "allBad" } },
  stopResending: { args: [], sent: undefined },
  settleCallbacks: { args: [[7]], sent: { nos: [7] } },
  lab: { args: [], sent: undefined },
  startLab: { args: [28100], sent: { port: 28100 } },
  stopLab: { args: [], sent: undefined },
  setLabAnswer: { args: [form], sent: { answer: form } },
  clearLab: { args: [], sent: undefined },
  checkSignature: { args: [form], sent: { form } },
  setLanguage: { args: ["en"], sent: { language: "en" } },
  saveText: { args: ["a.txt", "text"], sent: { name: "a.txt", text: "text" } },
  callbackTimes: { args: ["p"], sent: { profileId: "p" } },
};
const METHODS = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[];

test.each(METHODS)("%s invokes its command with the contract's arguments", async (method) => {
  const { backend, calls } = await tauri();
  const { args, sent } = CALLS[method];
  await (backend[method] as (...args: unknown[]) => Promise<unknown>)(...args);
  const [command, actual] = calls[0] ?? [];
  expect(command).toBe(COMMANDS[method]);
  expect(actual ?? {}).toEqual(sent ?? {});
});

test("changes and drops are listened to by the shell's event names", async () => {
  const { backend, calls } = await tauri(1);
  await backend.onChanges(() => undefined);
  await backend.onDrop(() => undefined);
  const events = calls.filter(([command]) => command === "plugin:event|listen").map(([, args]) => (args as { event: string }).event);
  expect(events[0]).toBe("changes");
  expect(events).toContain("tauri://drag-drop");
});

test("a closed file dialog picks nothing", async () => {
  const { backend } = await tauri(null);
  expect(await backend.pickFiles()).toEqual([]);
  expect(await backend.pickFolder()).toBeNull();
});

test("the mock has everything that the real backend has", async () => {
  const { backend } = await tauri();
  const mock = new MockBackend();
  const names = new Set([...METHODS, ...Object.getOwnPropertyNames(Object.getPrototypeOf(backend)), ...Object.keys(backend)]);
  names.delete("constructor");
  expect(names.size).toBe(METHODS.length + 5);
  for (const name of names) expect(typeof mock[name as keyof Backend], name).toBe("function");
});

test("what is thrown becomes an error with a code", () => {
  const error = { code: "network", message: "m", requestId: "r" };
  expect(toIpcError(error)).toEqual(error);
  expect(toIpcError("plain text")).toEqual({ code: "service", message: "plain text", requestId: null });
  expect(toIpcError(new Error("boom"))).toEqual({ code: "service", message: "boom", requestId: null });
});
