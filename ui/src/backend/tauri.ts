// The real backend: the only file of the UI that imports @tauri-apps.
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { getCurrentWebview } from "@tauri-apps/api/webview";
import { open } from "@tauri-apps/plugin-dialog";
import { revealItemInDir } from "@tauri-apps/plugin-opener";

import type { CallbackProfileDraft } from "../bindings/CallbackProfileDraft";
import type { CallbackProfileForm } from "../bindings/CallbackProfileForm";
import type { CallbackStudyForm } from "../bindings/CallbackStudyForm";
import type { Changes } from "../bindings/Changes";
import type { DestinationForm } from "../bindings/DestinationForm";
import type { LabAnswer } from "../bindings/LabAnswer";
import type { Limits } from "../bindings/Limits";
import type { ResendSelection } from "../bindings/ResendSelection";
import type { SignatureCheckForm } from "../bindings/SignatureCheckForm";
import type { SnippetLanguage } from "../bindings/SnippetLanguage";
import type { UploadQuery } from "../bindings/UploadQuery";
import type { UploadSelection } from "../bindings/UploadSelection";
import type { WatchedFolderForm } from "../bindings/WatchedFolderForm";
import type { Wish } from "../bindings/Wish";
import { COMMANDS, type Backend, type DropEvent, type Unsubscribe } from "./types";

type Answer<Method extends keyof typeof COMMANDS> = ReturnType<Backend[Method]>;

function call<Method extends keyof typeof COMMANDS>(
  method: Method,
  args?: Record<string, unknown>,
): Answer<Method> {
  return invoke(COMMANDS[method], args) as Answer<Method>;
}

export class TauriBackend implements Backend {
  appInfo = () => call("appInfo");
  listUploads = (query: UploadQuery) => call("listUploads", { query });
  uploadDetails = (no: number) => call("uploadDetails", { no });
  counts = () => call("counts");
  addPaths = (paths: string[], destinationId: string | null, callbackProfileId: string | null) =>
    call("addPaths", { paths, destinationId, callbackProfileId });
  pauseUpload = (no: number) => call("pauseUpload", { no });
  resumeUpload = (no: number) => call("resumeUpload", { no });
  retryUpload = (no: number) => call("retryUpload", { no });
  cancelUpload = (no: number) => call("cancelUpload", { no });
  wishMany = (selection: UploadSelection, wish: Wish) => call("wishMany", { selection, wish });
  pauseAll = () => call("pauseAll");
  resumeAll = () => call("resumeAll");
  retryFailed = () => call("retryFailed");
  clearFinished = () => call("clearFinished");
  listDestinations = () => call("listDestinations");
  saveDestination = (form: DestinationForm) => call("saveDestination", { form });
  deleteDestination = (id: string) => call("deleteDestination", { id });
  setCurrentDestination = (id: string) => call("setCurrentDestination", { id });
  testConnection = (form: DestinationForm) => call("testConnection", { form });
  listWatchedFolders = () => call("listWatchedFolders");
  saveWatchedFolder = (form: WatchedFolderForm) => call("saveWatchedFolder", { form });
  deleteWatchedFolder = (id: string) => call("deleteWatchedFolder", { id });
  pauseWatchedFolder = (id: string, paused: boolean) => call("pauseWatchedFolder", { id, paused });
  limits = () => call("limits");
  saveLimits = (limits: Limits) => call("saveLimits", { limits });
  listCallbackProfiles = () => call("listCallbackProfiles");
  saveCallbackProfile = (draft: CallbackProfileDraft) => call("saveCallbackProfile", { draft });
  deleteCallbackProfile = (id: string) => call("deleteCallbackProfile", { id });
  studyCallback = (form: CallbackStudyForm) => call("studyCallback", { form });
  importCallback = (text: string) => call("importCallback", { text });
  exportCallback = (form: CallbackProfileForm, language: SnippetLanguage) => call("exportCallback", { form, language });
  testCallback = (form: CallbackProfileForm, destinationId: string | null) => call("testCallback", { form, destinationId });
  probeServer = (form: CallbackStudyForm) => call("probeServer", { form });
  planResend = (no: number) => call("planResend", { no });
  resendCallbacks = (selection: ResendSelection) => call("resendCallbacks", { selection });
  stopResending = () => call("stopResending");
  settleCallbacks = (nos: number[]) => call("settleCallbacks", { nos });
  lab = () => call("lab");
  startLab = (port: number) => call("startLab", { port });
  stopLab = () => call("stopLab");
  setLabAnswer = (answer: LabAnswer) => call("setLabAnswer", { answer });
  clearLab = () => call("clearLab");
  checkSignature = (form: SignatureCheckForm) => call("checkSignature", { form });
  callbackTimes = (profileId: string) => call("callbackTimes", { profileId });
  setLanguage = (language: string) => call("setLanguage", { language });
  saveText = (name: string, text: string) => call("saveText", { name, text });

  onChanges(listener: (changes: Changes) => void): Promise<Unsubscribe> {
    return listen<Changes>("changes", (event) => listener(event.payload));
  }

  onDrop(listener: (event: DropEvent) => void): Promise<Unsubscribe> {
    return getCurrentWebview().onDragDropEvent(({ payload }) => {
      switch (payload.type) {
        case "enter":
          return listener({ kind: "enter", paths: payload.paths });
        case "over":
          return listener({ kind: "over" });
        case "drop":
          return listener({ kind: "drop", paths: payload.paths });
        case "leave":
          return listener({ kind: "leave" });
      }
    });
  }

  async pickFiles(): Promise<string[]> {
    return (await open({ multiple: true, directory: false })) ?? [];
  }

  pickFolder(): Promise<string | null> {
    return open({ multiple: false, directory: true });
  }

  revealItem = (path: string) => revealItemInDir(path);
}
