// The callback profiles, the draft of the one being edited, and what it comes to: studied as it is typed.
import type { Backend } from "../backend/types";
import { toIpcError } from "../backend/types";
import type { CallbackFinding } from "../bindings/CallbackFinding";
import type { CallbackProfileForm } from "../bindings/CallbackProfileForm";
import type { CallbackProfileView } from "../bindings/CallbackProfileView";
import type { CallbackStudy } from "../bindings/CallbackStudy";
import type { CallbackTrial } from "../bindings/CallbackTrial";
import { draftOf, newForm, printed, savedForm, studiedForm, withLine, type CallbackDraft } from "./callbackDraft";

export type CallbackTool = "lab" | "signature" | "failed";
/** Whose answer a trial asks for: through OSS, or from this computer. */
export type TrialKind = "test" | "probe";

const STUDY_AFTER_MS = 250;
/** Names are asked for only once they are not being typed any more: each question can be read on the network. */
const RESOLVE_AFTER_MS = 1000;

export class CallbacksState {
  all = $state.raw<readonly CallbackProfileView[]>([]);
  loaded = $state(false);
  draft = $state<CallbackDraft | null>(null);
  tool = $state<CallbackTool | null>(null);
  study = $state.raw<CallbackStudy | null>(null);
  trial = $state.raw<{ kind: TrialKind; trial: CallbackTrial } | null>(null);
  /** The local file of the preview; null for a made-up one. */
  file = $state<string | null>(null);
  /** Null: the current destination. */
  destinationId = $state<string | null>(null);
  busy = $state<"saving" | TrialKind | null>(null);

  /** Grows with each profile that is opened, so that an editor begins anew with it. */
  opened = $state(0);

  edited = $derived(this.all.find((profile) => profile.id === this.draft?.id) ?? null);
  dirty = $derived.by(() => this.draft !== null && printed(this.draft) !== this.#saved);

  /** The draft as it was opened or saved. */
  #saved = $state.raw("");
  #timer: ReturnType<typeof setTimeout> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;
  /** The addresses whose names have been asked for and told. */
  #resolved = "";
  #question = 0;
  /** The form that `study` is about. */
  #studied = "";

  constructor(
    readonly backend: Backend,
    readonly onError: (thrown: unknown) => void,
    /** Asks whether what was typed and not saved may be forgotten. */
    readonly mayDiscard: (name: string) => Promise<boolean>,
  ) {}

  async load(): Promise<void> {
    try {
      this.all = await this.backend.listCallbackProfiles();
      this.loaded = true;
    } catch (thrown) {
      this.onError(thrown);
      return;
    }
    // Saved elsewhere and not touched here: show what is stored.
    if (!this.edited || this.dirty) return;
    const stored = draftOf(this.edited);
    if (printed(stored) !== this.#saved) this.#put(stored);
  }

  /** Opens a profile, unless there is something unsaved that the person wants to keep. */
  async open(id: string): Promise<void> {
    if (this.draft?.id === id) {
      this.tool = null;
      return;
    }
    const profile = this.all.find((one) => one.id === id);
    if (profile && (await this.#mayLeave())) this.#show(draftOf(profile));
  }

  async create(form: CallbackProfileForm = newForm(), name = ""): Promise<void> {
    if (!(await this.#mayLeave())) return;
    this.#show({ id: null, name, form: withLine(form) });
    // An imported one is worth asking about before it is lost.
    if (name !== "") this.#saved = "";
  }

  /** Another form for the same profile: from a snippet, from JSON, or cured. */
  replace(form: CallbackProfileForm): void {
    if (this.draft) this.draft.form = withLine(structuredClone(form));
  }

  use(tool: CallbackTool): void {
    this.tool = tool;
  }

  async save(): Promise<CallbackProfileView | null> {
    const draft = this.draft;
    if (!draft || this.busy) return null;
    this.busy = "saving";
    const sent = $state.snapshot(draft);
    try {
      const saved = await this.backend.saveCallbackProfile({ id: sent.id, name: sent.name.trim(), form: savedForm(sent.form) });
      this.all = await this.backend.listCallbackProfiles();
      if (this.draft !== draft) return saved;
      draft.id = saved.id;
      this.#saved = printed(draftOf(saved));
      // What was typed while it was being saved stays.
      if (printed(draft) === printed(sent)) this.draft = draftOf(saved);
      return saved;
    } catch (thrown) {
      this.onError(thrown);
      return null;
    } finally {
      this.busy = null;
    }
  }

  async remove(id: string): Promise<void> {
    try {
      await this.backend.deleteCallbackProfile(id);
      // Out of the list first: whoever opens what is left must not find it again.
      this.all = this.all.filter((profile) => profile.id !== id);
      if (this.draft?.id === id) this.#put(null);
      await this.load();
    } catch (thrown) {
      this.onError(thrown);
    }
  }

  /** To be called whenever the draft, the file or the destination has changed. */
  studySoon(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#rest);
    this.#timer = setTimeout(() => void this.studyNow(), STUDY_AFTER_MS);
    this.#rest = setTimeout(() => {
      if (this.draft && this.#addresses() !== this.#resolved) void this.studyNow(true);
    }, RESOLVE_AFTER_MS);
  }

  async studyNow(resolve = false): Promise<void> {
    if (!this.draft) return;
    const addresses = this.#addresses();
    const form = studiedForm($state.snapshot(this.draft.form));
    const question = ++this.#question;
    let study: CallbackStudy;
    try {
      study = await this.backend.studyCallback({ form, path: this.file, destinationId: this.destinationId, resolve });
    } catch (thrown) {
      study = { preview: null, refusal: toIpcError(thrown).message, findings: [], unresolved: true };
    }
    if (question !== this.#question) return;
    if (resolve && !study.unresolved) this.#resolved = addresses;
    this.study = study;
    this.#studied = JSON.stringify(form);
  }

  /** Takes the cure, unless the draft has moved on since it was studied: then it is studied anew. */
  cure(finding: CallbackFinding): void {
    if (!this.draft || !finding.cured) return;
    if (JSON.stringify(studiedForm($state.snapshot(this.draft.form))) === this.#studied) this.replace(finding.cured);
    this.studySoon();
  }

  async try(kind: TrialKind): Promise<void> {
    const draft = this.draft;
    if (!draft || this.busy) return;
    this.busy = kind;
    this.trial = null;
    const form = savedForm($state.snapshot(draft.form));
    try {
      const trial =
        kind === "test"
          ? await this.backend.testCallback(form, this.destinationId)
          : await this.backend.probeServer({ form, path: this.file, destinationId: this.destinationId, resolve: false });
      if (this.draft?.id === draft.id) this.trial = { kind, trial };
    } catch (thrown) {
      this.onError(thrown);
    } finally {
      this.busy = null;
    }
  }

  async chooseFile(): Promise<void> {
    try {
      this.file = (await this.backend.pickFiles())[0] ?? this.file;
    } catch (thrown) {
      this.onError(thrown);
    }
  }

  /** What decides about the names that are asked for: a server on this computer calls any address. */
  #addresses(): string {
    return JSON.stringify([this.destinationId, this.draft?.form.urls ?? []]);
  }

  async #mayLeave(): Promise<boolean> {
    return !this.draft || !this.dirty || (await this.mayDiscard(this.draft.name));
  }

  #show(draft: CallbackDraft): void {
    this.tool = null;
    this.opened += 1;
    this.#put(draft);
  }

  #put(draft: CallbackDraft | null): void {
    this.#question += 1;
    if (draft?.id !== this.draft?.id || draft === null) this.trial = null;
    this.draft = draft;
    this.study = null;
    this.#saved = draft ? printed(draft) : "";
  }
}
