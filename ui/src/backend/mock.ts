// A backend without an engine: it answers from an invented world, which moves when it is asked to live.
import type { Added } from "../bindings/Added";
import type { AppInfo } from "../bindings/AppInfo";
import type { CallbackTimes } from "../bindings/CallbackTimes";
import type { Changes } from "../bindings/Changes";
import type { ConnectionReport } from "../bindings/ConnectionReport";
import type { Counts } from "../bindings/Counts";
import type { DestinationForm } from "../bindings/DestinationForm";
import type { DestinationView } from "../bindings/DestinationView";
import type { IpcError } from "../bindings/IpcError";
import type { Limits } from "../bindings/Limits";
import type { ResendPlan } from "../bindings/ResendPlan";
import type { ResendSelection } from "../bindings/ResendSelection";
import type { UploadDetails } from "../bindings/UploadDetails";
import type { UploadPage } from "../bindings/UploadPage";
import type { UploadQuery } from "../bindings/UploadQuery";
import type { UploadRow } from "../bindings/UploadRow";
import type { UploadSelection } from "../bindings/UploadSelection";
import type { WatchedFolderForm } from "../bindings/WatchedFolderForm";
import type { WatchedFolderView } from "../bindings/WatchedFolderView";
import type { Wish } from "../bindings/Wish";
import { belongs, comesBefore, fits, isFinal, needsCallback } from "../state/order";
import { mockDetails } from "./mockDetails";
import { tickRows } from "./mockLife";
import { Line, wished } from "./mockWishes";
import { MockStudio } from "./mockStudio";
import { MIB, mockDestinations, mockFolders, mockLimits, mockRow, mockRows } from "./mockWorld";
import type { Backend, DropEvent, Unsubscribe } from "./types";

const TICK_MS = 250;
const EVERYTHING: UploadSelection = { filter: "all", search: "", batch: null, numbers: [] };

export interface MockWorld {
  rows: UploadRow[];
  destinations: DestinationView[];
  folders: WatchedFolderView[];
  limits: Limits;
}

export class MockBackend extends MockStudio implements Backend {
  world: MockWorld;
  /** What was asked for, newest last; tests look here. */
  readonly queries: UploadQuery[] = [];
  /** In which order the world's uploads start. */
  readonly line = new Line();
  /** What was saved, by the name that was suggested. */
  readonly files = new Map<string, string>();
  /** What tray and notices would speak. */
  language = "";
  /** Callbacks of those that are on their way again that have ended. */
  calledAgain = 0;
  #cleared = new Set<number>();
  #changes = new Set<(changes: Changes) => void>();
  #drops = new Set<(event: DropEvent) => void>();
  #ids = 0;

  constructor({ live = false, world }: { live?: boolean; world?: Partial<MockWorld> } = {}) {
    super();
    const now = Date.now();
    this.world = { rows: mockRows(now), destinations: mockDestinations(), folders: mockFolders(now), limits: mockLimits(), ...world };
    if (!live) return;
    setInterval(() => this.emit({ rows: tickRows(this.world.rows, this.line, TICK_MS, Date.now()) }), TICK_MS);
    this.#listenToBrowserDrops();
  }

  /** Sends a batch of changes; rows in it replace those of the world. */
  emit(some: Partial<Changes>): void {
    const fresh = new Map((some.rows ?? []).map((row) => [row.no, row]));
    this.world.rows = this.world.rows.map((row) => fresh.get(row.no) ?? row);
    const bytesPerSecond = this.world.rows.reduce((sum, row) => sum + row.bytesPerSecond, 0);
    const changes: Changes = {
      rows: [], reload: false, destinations: false, folders: false, lab: false, counts: this.#count(), bytesPerSecond, scanning: false,
      clockSkewSeconds: 0, storeProblem: null,
      ...some,
    };
    this.#changes.forEach((listener) => listener(changes));
  }

  drop(event: DropEvent): void {
    this.#drops.forEach((listener) => listener(event));
  }

  async appInfo(): Promise<AppInfo> {
    const dataDir = "/home/mei/.local/share/waybill";
    return { version: "0.1.0", dataDir, keychainProblem: null, sandboxDir: `${dataDir}/sandbox` };
  }

  async listUploads(query: UploadQuery): Promise<UploadPage> {
    this.queries.push(query);
    const { after } = query;
    const rows = this.world.rows
      .filter((row) => query.scope === "history" || !this.#cleared.has(row.no))
      .filter((row) => belongs(row, query.scope, query.filter, query.search))
      .filter((row) => !after || comesBefore(after, row, query.scope))
      .sort((a, b) => (comesBefore(a, b, query.scope) ? -1 : 1));
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return { rows: page, next: last && rows.length > page.length ? { batch: last.batch, no: last.no } : null };
  }

  async uploadDetails(no: number): Promise<UploadDetails> {
    const row = this.#row(no);
    return mockDetails(row, this.world.destinations.find((destination) => destination.name === row.destination));
  }

  async counts(): Promise<Counts> {
    return this.#count();
  }

  async addPaths(paths: string[], destinationId: string | null, callbackProfileId: string | null): Promise<Added> {
    const target = this.world.destinations.find(({ id, current }) => (destinationId === null ? current : id === destinationId));
    if (!target) throw refusal("invalid", "there is no destination");
    const batch = Math.max(0, ...this.world.rows.map((row) => row.batch)) + 1;
    let no = Math.max(0, ...this.world.rows.map((row) => row.no));
    const good = paths.filter((path) => !path.endsWith(".sock"));
    const rows = good.map((path) => {
      const name = path.split("/").at(-1) ?? path;
      return mockRow({
        no: ++no, batch, name, path, key: name, bucket: target.bucket, destination: target.name, createdMs: Date.now(),
        sizeBytes: 90 * MIB, callback: target.callback || callbackProfileId !== null ? { kind: "waiting" } : { kind: "notRequested" },
      });
    });
    this.world.rows = [...rows, ...this.world.rows];
    this.emit({ reload: true });
    const refused = paths
      .filter((path) => path.endsWith(".sock"))
      .map((path) => ({ path, problem: { code: "notAFile" as const, message: "a socket", requestId: null, ec: null } }));
    return { batch, queued: rows.length, refused, refusedCount: refused.length };
  }

  pauseUpload = async (no: number) => this.#wish(no, "pause");
  resumeUpload = async (no: number) => this.#wish(no, "resume");
  retryUpload = async (no: number) => this.#wish(no, "retry");
  cancelUpload = async (no: number) => this.#wish(no, "cancel");

  async wishMany(selection: UploadSelection, wish: Wish): Promise<void> {
    const { filter, search, batch, numbers } = selection;
    const chosen = this.world.rows
      .filter((row) => !this.#cleared.has(row.no) && belongs(row, "transfers", filter, search))
      .filter((row) => (batch === null || row.batch === batch) && (numbers.length === 0 || numbers.includes(row.no)))
      .filter((row) => fits(wish, row));
    this.line.place(chosen, wish);
    this.emit({ rows: chosen.map((row) => wished(row, wish)), reload: true });
  }

  pauseAll = async () => this.wishMany(EVERYTHING, "pause");
  resumeAll = async () => this.wishMany(EVERYTHING, "resume");
  retryFailed = async () => this.wishMany(EVERYTHING, "retry");

  async clearFinished(): Promise<void> {
    this.world.rows.filter(isFinal).forEach((row) => this.#cleared.add(row.no));
    this.emit({ reload: true });
  }

  async listDestinations(): Promise<DestinationView[]> {
    return this.world.destinations;
  }

  async saveDestination(form: DestinationForm): Promise<DestinationView> {
    const before = this.world.destinations.find(({ id }) => id === form.id);
    if (form.name === "") throw refusal("invalid", "a destination needs a name");
    const { accessKeySecret, securityToken, proxyPassword, ...shown } = form;
    const saved: DestinationView = {
      ...shown,
      id: before?.id ?? `d${++this.#ids}`,
      hasSecret: accessKeySecret !== null || (before?.hasSecret ?? false),
      hasToken: securityToken === null ? (before?.hasToken ?? false) : securityToken !== "",
      hasProxyPassword: proxyPassword === null ? (before?.hasProxyPassword ?? false) : proxyPassword !== "",
      builtIn: false,
      current: before?.current ?? this.world.destinations.length === 0,
    };
    this.world.destinations = before
      ? this.world.destinations.map((one) => (one === before ? saved : one))
      : [...this.world.destinations, saved];
    this.emit({ destinations: true });
    return saved;
  }

  async deleteDestination(id: string): Promise<void> {
    this.world.destinations = this.world.destinations.filter((one) => one.id !== id);
    this.emit({ destinations: true });
  }

  async setCurrentDestination(id: string): Promise<void> {
    this.world.destinations = this.world.destinations.map((one) => ({ ...one, current: one.id === id }));
    this.emit({ destinations: true });
  }

  async testConnection(form: DestinationForm): Promise<ConnectionReport> {
    if (form.endpoint.includes("oss-cn-shenzhen")) {
      const message = "GetBucketInfo: OSS answered 403 AccessDenied: The bucket must be addressed using the specified endpoint.";
      const elsewhere = { code: "bucket" as const, message, requestId: "673DB2EC", ec: "0003-00001403" };
      const offeredEndpoint = "https://oss-cn-hangzhou.aliyuncs.com";
      return { ok: false, location: null, acl: null, storageClass: null, tookMs: 38, problem: elsewhere, offeredEndpoint };
    }
    if (form.accessKeyId.startsWith("LTAI") || form.id === "sandbox") {
      return { ok: true, location: "oss-cn-hangzhou", acl: "private", storageClass: "Standard", tookMs: 43, problem: null, offeredEndpoint: null };
    }
    const problem = { code: "credentials" as const, message: "GetBucketInfo: InvalidAccessKeyId", requestId: "673DB2EB", ec: null };
    return { ok: false, location: null, acl: null, storageClass: null, tookMs: 40, problem, offeredEndpoint: null };
  }

  async listWatchedFolders(): Promise<WatchedFolderView[]> {
    return this.world.folders;
  }

  async saveWatchedFolder(form: WatchedFolderForm): Promise<WatchedFolderView> {
    const { includeExisting, ...kept } = form;
    const destination = this.world.destinations.find(({ id }) => id === form.destinationId)?.name ?? "";
    const folder: WatchedFolderView = {
      ...kept, id: form.id ?? `f${Date.now()}`, destination, paused: false, reachable: true,
      settling: includeExisting ? 3 : 0, uploaded: 0, lastScanMs: null, problem: null,
    };
    this.world.folders = [...this.world.folders.filter(({ id }) => id !== form.id), folder];
    return folder;
  }

  async deleteWatchedFolder(id: string): Promise<void> {
    this.world.folders = this.world.folders.filter((one) => one.id !== id);
  }

  async pauseWatchedFolder(id: string, paused: boolean): Promise<void> {
    this.world.folders = this.world.folders.map((one) => (one.id === id ? { ...one, paused } : one));
  }

  async limits(): Promise<Limits> {
    return this.world.limits;
  }

  async saveLimits(limits: Limits): Promise<Limits> {
    this.world.limits = limits;
    return limits;
  }

  /** An upload that went to the archive cannot be sent again; `media-prod` keeps versions. */
  async planResend(no: number): Promise<ResendPlan> {
    const row = this.#row(no);
    const archived = { code: "refused" as const, message: "the object is archived and must be restored first", requestId: null, ec: null };
    return {
      no, sizeBytes: row.sizeBytes, parts: row.sizeBytes > 0 ? 1 : 0, newVersion: row.bucket === "media-prod",
      problem: row.bucket === "studio-archive" ? archived : null,
    };
  }

  async resendCallbacks(selection: ResendSelection): Promise<number> {
    const chosen = this.#chosen(selection);
    this.emit({ rows: chosen.map((row) => ({ ...row, callback: { kind: "answered", status: 200, tookMs: 77 }, callbackBad: false })), reload: true });
    return chosen.length;
  }

  /** In this world all that are on their way wait. */
  async stopResending(): Promise<number> {
    const waiting = this.world.rows.filter((row) => row.callback.kind === "callingAgain");
    this.emit({ rows: waiting.map((row) => ({ ...row, callback: { kind: "unknown" } })), reload: true });
    return waiting.length;
  }

  override async callbackTimes(profileId: string): Promise<CallbackTimes> {
    return { ...(await super.callbackTimes(profileId)), bad: this.#chosen({ allBadOf: { profileId } }).length };
  }

  async settleCallbacks(nos: number[]): Promise<void> {
    const settled = this.world.rows.filter((row) => nos.includes(row.no));
    this.emit({ rows: settled.map((row) => ({ ...row, callbackBad: false })), reload: true });
  }

  async onChanges(listener: (changes: Changes) => void): Promise<Unsubscribe> {
    this.#changes.add(listener);
    return () => this.#changes.delete(listener);
  }

  async onDrop(listener: (event: DropEvent) => void): Promise<Unsubscribe> {
    this.#drops.add(listener);
    return () => this.#drops.delete(listener);
  }

  pickFiles = async (): Promise<string[]> => ["/home/mei/footage/picked.mov", "/run/user/1000/bus.sock"];
  pickFolder = async (): Promise<string | null> => "/home/mei/footage/new";
  async saveText(name: string, text: string): Promise<string | null> {
    this.files.set(name, text);
    return `/home/mei/Downloads/${name}`;
  }

  async setLanguage(language: string): Promise<void> {
    this.language = language;
  }

  revealItem = async (): Promise<void> => undefined;

  #row(no: number): UploadRow {
    const row = this.world.rows.find((one) => one.no === no);
    if (!row) throw refusal("refused", `there is no upload No. ${no}`);
    return row;
  }

  /** A profile's uploads are those of the destinations that ask for it. */
  #chosen(selection: ResendSelection): UploadRow[] {
    if (typeof selection === "object" && "these" in selection) {
      return this.world.rows.filter((row) => selection.these.nos.includes(row.no));
    }
    const bad = this.world.rows.filter(needsCallback);
    if (selection === "allBad") return bad;
    const users = this.profiles.find(({ id }) => id === selection.allBadOf.profileId)?.usedBy ?? [];
    return bad.filter((row) => users.includes(row.destination));
  }

  #wish(no: number, wish: Wish): void {
    this.emit({ rows: [wished(this.#row(no), wish)] });
  }

  #count(): Counts {
    const rows = this.world.rows.filter((row) => !this.#cleared.has(row.no));
    const of = (...phases: UploadRow["phase"][]) => rows.filter((row) => phases.includes(row.phase)).length;
    const left = rows.filter((row) => !isFinal(row) && row.phase !== "paused");
    return {
      all: rows.length, uploading: of("starting", "sending", "completing"), waiting: of("queued"), paused: of("paused"),
      stored: of("done"), failed: of("failed"), callbackFailed: rows.filter(needsCallback).length,
      callingAgain: rows.filter((row) => row.callback.kind === "callingAgain").length, calledAgain: this.calledAgain,
      bytesLeft: left.reduce((sum, row) => sum + row.sizeBytes - row.sentBytes, 0),
    };
  }

  /** In a browser there are no local paths; names must do. */
  #listenToBrowserDrops(): void {
    const names = (event: DragEvent) => [...(event.dataTransfer?.files ?? [])].map((file) => `/dropped/${file.name}`);
    window.addEventListener("dragenter", (event) => {
      if (!event.relatedTarget) this.drop({ kind: "enter", paths: [...(event.dataTransfer?.items ?? [])].map(() => "") });
    });
    window.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.drop({ kind: "leave" });
    });
    window.addEventListener("drop", (event) => this.drop({ kind: "drop", paths: names(event) }));
  }
}

function refusal(code: IpcError["code"], message: string): IpcError {
  return { code, message, requestId: null };
}
