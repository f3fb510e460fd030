// Everything the UI may ask of whoever runs it: one method per IPC command, plus events and the system's dialogs.
import type { Added } from "../bindings/Added";
import type { AppInfo } from "../bindings/AppInfo";
import type { CallbackProfileDraft } from "../bindings/CallbackProfileDraft";
import type { CallbackProfileForm } from "../bindings/CallbackProfileForm";
import type { CallbackProfileView } from "../bindings/CallbackProfileView";
import type { CallbackStudy } from "../bindings/CallbackStudy";
import type { CallbackStudyForm } from "../bindings/CallbackStudyForm";
import type { CallbackTimes } from "../bindings/CallbackTimes";
import type { CallbackTrial } from "../bindings/CallbackTrial";
import type { Changes } from "../bindings/Changes";
import type { ConnectionReport } from "../bindings/ConnectionReport";
import type { Counts } from "../bindings/Counts";
import type { DestinationForm } from "../bindings/DestinationForm";
import type { DestinationView } from "../bindings/DestinationView";
import type { ImportedCallback } from "../bindings/ImportedCallback";
import type { IpcError } from "../bindings/IpcError";
import type { LabAnswer } from "../bindings/LabAnswer";
import type { LabView } from "../bindings/LabView";
import type { Limits } from "../bindings/Limits";
import type { ResendPlan } from "../bindings/ResendPlan";
import type { ResendSelection } from "../bindings/ResendSelection";
import type { SignatureCheckForm } from "../bindings/SignatureCheckForm";
import type { SignatureVerdict } from "../bindings/SignatureVerdict";
import type { SnippetLanguage } from "../bindings/SnippetLanguage";
import type { UploadDetails } from "../bindings/UploadDetails";
import type { UploadPage } from "../bindings/UploadPage";
import type { UploadQuery } from "../bindings/UploadQuery";
import type { UploadSelection } from "../bindings/UploadSelection";
import type { WatchedFolderForm } from "../bindings/WatchedFolderForm";
import type { WatchedFolderView } from "../bindings/WatchedFolderView";
import type { Wish } from "../bindings/Wish";

/** Files over the window: how many on the way in, whole local paths on release. */
export type DropEvent =
  | { kind: "enter"; paths: string[] }
  | { kind: "over" }
  | { kind: "leave" }
  | { kind: "drop"; paths: string[] };

export type Unsubscribe = () => void;

/** The commands. Each rejects with an `IpcError`. */
export interface Commands {
  appInfo(): Promise<AppInfo>;
  listUploads(query: UploadQuery): Promise<UploadPage>;
  uploadDetails(no: number): Promise<UploadDetails>;
  counts(): Promise<Counts>;
  /** `destinationId` null: the current destination. `callbackProfileId` null: the callback that the destination asks for. */
  addPaths(paths: string[], destinationId: string | null, callbackProfileId: string | null): Promise<Added>;
  pauseUpload(no: number): Promise<void>;
  resumeUpload(no: number): Promise<void>;
  retryUpload(no: number): Promise<void>;
  cancelUpload(no: number): Promise<void>;
  /** Those that the wish does not fit are left as they are. */
  wishMany(selection: UploadSelection, wish: Wish): Promise<void>;
  pauseAll(): Promise<void>;
  resumeAll(): Promise<void>;
  retryFailed(): Promise<void>;
  clearFinished(): Promise<void>;
  listDestinations(): Promise<DestinationView[]>;
  saveDestination(form: DestinationForm): Promise<DestinationView>;
  deleteDestination(id: string): Promise<void>;
  setCurrentDestination(id: string): Promise<void>;
  testConnection(form: DestinationForm): Promise<ConnectionReport>;
  listWatchedFolders(): Promise<WatchedFolderView[]>;
  saveWatchedFolder(form: WatchedFolderForm): Promise<WatchedFolderView>;
  deleteWatchedFolder(id: string): Promise<void>;
  pauseWatchedFolder(id: string, paused: boolean): Promise<void>;
  limits(): Promise<Limits>;
  saveLimits(limits: Limits): Promise<Limits>;
  listCallbackProfiles(): Promise<CallbackProfileView[]>;
  saveCallbackProfile(draft: CallbackProfileDraft): Promise<CallbackProfileView>;
  deleteCallbackProfile(id: string): Promise<void>;
  /** What OSS would send, and what is wrong with it. */
  studyCallback(form: CallbackStudyForm): Promise<CallbackStudy>;
  importCallback(text: string): Promise<ImportedCallback>;
  exportCallback(form: CallbackProfileForm, language: SnippetLanguage): Promise<string>;
  /** A one-byte object is uploaded with this callback and deleted. `destinationId` null: the current destination. */
  testCallback(form: CallbackProfileForm, destinationId: string | null): Promise<CallbackTrial>;
  /** The same bytes sent from this computer, not signed by OSS. */
  probeServer(form: CallbackStudyForm): Promise<CallbackTrial>;
  planResend(no: number): Promise<ResendPlan>;
  /** How many callbacks were taken up. */
  resendCallbacks(selection: ResendSelection): Promise<number>;
  /** Those that wait stay as they are. How many that were. */
  stopResending(): Promise<number>;
  settleCallbacks(nos: number[]): Promise<void>;
  lab(): Promise<LabView>;
  startLab(port: number): Promise<LabView>;
  stopLab(): Promise<void>;
  setLabAnswer(answer: LabAnswer): Promise<LabView>;
  clearLab(): Promise<void>;
  checkSignature(form: SignatureCheckForm): Promise<SignatureVerdict>;
  callbackTimes(profileId: string): Promise<CallbackTimes>;
  /** What tray and notices are to speak, by its tag. */
  setLanguage(language: string): Promise<void>;
  /** Asks the user where to, with `name` suggested, and writes there. The path; null when the dialog was closed. */
  saveText(name: string, text: string): Promise<string | null>;
}

/** Names of the IPC commands; the type makes a forgotten one a compile error. */
export const COMMANDS: { readonly [Method in keyof Commands]: string } = {
  appInfo: "app_info",
  listUploads: "list_uploads",
  uploadDetails: "upload_details",
  counts: "counts",
  addPaths: "add_paths",
  pauseUpload: "pause_upload",
  resumeUpload: "resume_upload",
  retryUpload: "retry_upload",
  cancelUpload: "cancel_upload",
  wishMany: "wish_many",
  pauseAll: "pause_all",
  resumeAll: "resume_all",
  retryFailed: "retry_failed",
  clearFinished: "clear_finished",
  listDestinations: "list_destinations",
  saveDestination: "save_destination",
  deleteDestination: "delete_destination",
  setCurrentDestination: "set_current_destination",
  testConnection: "test_connection",
  listWatchedFolders: "list_watched_folders",
  saveWatchedFolder: "save_watched_folder",
  deleteWatchedFolder: "delete_watched_folder",
  pauseWatchedFolder: "pause_watched_folder",
  limits: "limits",
  saveLimits: "save_limits",
  listCallbackProfiles: "list_callback_profiles",
  saveCallbackProfile: "save_callback_profile",
  deleteCallbackProfile: "delete_callback_profile",
  studyCallback: "study_callback",
  importCallback: "import_callback",
  exportCallback: "export_callback",
  testCallback: "test_callback",
  probeServer: "probe_server",
  planResend: "plan_resend",
  resendCallbacks: "resend_callbacks",
  stopResending: "stop_resending",
  settleCallbacks: "settle_callbacks",
  lab: "lab",
  startLab: "start_lab",
  stopLab: "stop_lab",
  setLabAnswer: "set_lab_answer",
  clearLab: "clear_lab",
  checkSignature: "check_signature",
  callbackTimes: "callback_times",
  setLanguage: "set_language",
  saveText: "save_text",
};

export interface Backend extends Commands {
  /** At most five batches a second. */
  onChanges(listener: (changes: Changes) => void): Promise<Unsubscribe>;
  onDrop(listener: (event: DropEvent) => void): Promise<Unsubscribe>;
  /** The system's file dialog; empty when the user closed it. */
  pickFiles(): Promise<string[]>;
  /** The system's folder dialog; null when the user closed it. */
  pickFolder(): Promise<string | null>;
  /** Shows a local file in the file manager. */
  revealItem(path: string): Promise<void>;
}

/** Whatever was thrown, as the error the UI branches on. */
export function toIpcError(thrown: unknown): IpcError {
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && "message" in thrown) {
    const error = thrown as Partial<IpcError>;
    return { code: error.code ?? "service", message: String(error.message), requestId: error.requestId ?? null };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "service", message, requestId: null };
}
