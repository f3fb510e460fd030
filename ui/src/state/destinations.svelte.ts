// The destinations, and the draft of the one being edited. A typed secret lives only until it is sent.
import type { Backend } from "../backend/types";
import type { ConnectionReport } from "../bindings/ConnectionReport";
import type { DestinationView } from "../bindings/DestinationView";
import { draftOf, formOf, newDraft, type DestinationDraft } from "./destinationDraft";

export class DestinationsState {
  all = $state.raw<readonly DestinationView[]>([]);
  loaded = $state(false);
  draft = $state<DestinationDraft | null>(null);
  report = $state.raw<ConnectionReport | null>(null);
  busy = $state<"saving" | "testing" | null>(null);

  current = $derived(this.all.find((destination) => destination.current) ?? null);
  edited = $derived(this.all.find((destination) => destination.id === this.draft?.id) ?? null);

  constructor(
    readonly backend: Backend,
    readonly onError: (thrown: unknown) => void,
  ) {}

  async load(): Promise<void> {
    try {
      this.all = await this.backend.listDestinations();
      this.loaded = true;
    } catch (thrown) {
      this.onError(thrown);
    }
  }

  edit(id: string): void {
    const destination = this.all.find((one) => one.id === id);
    if (!destination) return;
    this.draft = draftOf(destination);
    this.report = null;
  }

  create(): void {
    this.draft = newDraft();
    this.report = null;
  }

  /** Leaving the form forgets what was typed, the secret first of all. */
  leave(): void {
    this.draft = null;
    this.report = null;
  }

  async makeCurrent(id: string): Promise<void> {
    try {
      await this.backend.setCurrentDestination(id);
      await this.load();
    } catch (thrown) {
      this.onError(thrown);
    }
  }

  /** Saves the draft and clears the secret from memory; the saved destination, or null if it was refused. */
  async save(): Promise<DestinationView | null> {
    const draft = this.draft;
    if (!draft || this.busy) return null;
    this.busy = "saving";
    try {
      const saved = await this.backend.saveDestination(formOf(draft));
      draft.secret = "";
      draft.token = "";
      draft.proxyPassword = "";
      await this.load();
      if (this.draft === draft) this.draft = draftOf(saved);
      return saved;
    } catch (thrown) {
      this.onError(thrown);
      return null;
    } finally {
      this.busy = null;
    }
  }

  async test(): Promise<void> {
    const draft = this.draft;
    if (!draft || this.busy) return;
    this.busy = "testing";
    this.report = null;
    try {
      const report = await this.backend.testConnection(formOf(draft));
      if (this.draft === draft) this.report = report;
    } catch (thrown) {
      this.onError(thrown);
    } finally {
      this.busy = null;
    }
  }

  /** Takes the endpoint that OSS named for this bucket, and tests again. */
  async useEndpoint(endpoint: string): Promise<void> {
    if (!this.draft || this.busy) return;
    this.draft.endpoint = endpoint;
    this.draft.region = "";
    await this.test();
  }

  async remove(id: string): Promise<void> {
    try {
      await this.backend.deleteDestination(id);
      if (this.draft?.id === id) this.leave();
      await this.load();
    } catch (thrown) {
      this.onError(thrown);
    }
  }
}
