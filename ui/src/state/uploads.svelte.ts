// One list of uploads: pages by cursor as the person scrolls, fresh rows merged in where they belong.
import type { Backend } from "../backend/types";
import type { Changes } from "../bindings/Changes";
import type { Cursor } from "../bindings/Cursor";
import type { Filter } from "../bindings/Filter";
import type { Scope } from "../bindings/Scope";
import type { UploadRow } from "../bindings/UploadRow";
import { belongs, comesBefore } from "./order";

export const PAGE_ROWS = 100;
const LARGEST_PAGE = 500;

export class UploadsState {
  rows = $state.raw<readonly UploadRow[]>([]);
  filter = $state<Filter>("all");
  search = $state("");
  selected = $state<number | null>(null);
  loading = $state(false);
  /** The first page has arrived, so an empty list means that there is nothing. */
  loaded = $state(false);

  selectedIndex = $derived(this.selected === null ? -1 : this.rows.findIndex((row) => row.no === this.selected));
  selectedRow = $derived(this.rows[this.selectedIndex] ?? null);

  /** `rows` holds all that the present filter and search let through. */
  complete = $derived.by(() => this.#answered === this.#asked && this.#next === null);

  /** Where the next page begins; null at the end. */
  #next = $state.raw<Cursor | null>(null);
  /** Filter and search as they are, and those that `rows` answers. */
  #asked = $derived.by(() => `${this.filter} ${this.search}`);
  #answered = $state.raw<string | null>(null);
  /** Grows with every new question, so that answers to old ones are dropped. */
  #question = 0;
  /** Rows that came by event while a page was on its way: the page may be older than they are. */
  #arrived = new Map<number, UploadRow>();
  #asks = 0;
  #reloading = false;
  #reloadAgain = false;

  constructor(
    readonly backend: Backend,
    readonly scope: Scope,
    readonly onError: (thrown: unknown) => void,
    filter: Filter = "all",
  ) {
    this.filter = filter;
  }

  setFilter(filter: Filter): Promise<void> {
    this.filter = filter;
    return this.open();
  }

  setSearch(search: string): Promise<void> {
    this.search = search;
    return this.open();
  }

  /** Asks for the first page anew. */
  async open(): Promise<void> {
    const question = ++this.#question;
    await this.#ask(question, null, PAGE_ROWS, (rows, next) => {
      this.#next = next;
      this.loaded = true;
      this.#answered = this.#asked;
      this.#put(rows);
    });
  }

  /** Asks for the page after the last row, if there is one. */
  async more(): Promise<void> {
    const after = this.#next;
    if (after === null || this.loading) return;
    await this.#ask(this.#question, after, PAGE_ROWS, (rows, next) => {
      this.#next = next;
      this.#put([...this.rows, ...rows]);
    });
  }

  /** Asks again for as many rows as are loaded, keeping them on screen meanwhile. */
  async reload(): Promise<void> {
    if (this.#reloading) {
      this.#reloadAgain = true;
      return;
    }
    this.#reloading = true;
    try {
      do {
        this.#reloadAgain = false;
        await this.#askForWhatIsLoaded();
      } while (this.#reloadAgain);
    } finally {
      this.#reloading = false;
      if (this.#asks === 0) this.#arrived.clear();
    }
  }

  apply(changes: Changes): void {
    if (this.#asks > 0 || this.#reloading) changes.rows.forEach((row) => this.#arrived.set(row.no, row));
    if (changes.rows.length > 0) this.rows = this.#merged(this.rows, changes.rows);
    if (changes.reload) void this.reload();
  }

  select(no: number | null): void {
    this.selected = no;
  }

  /** Moves the selection by rows; from nowhere it starts at the top. */
  move(by: number): void {
    if (this.rows.length === 0) return;
    const from = this.selectedIndex;
    const to = from < 0 ? 0 : Math.min(this.rows.length - 1, Math.max(0, from + by));
    this.selected = this.rows[to]?.no ?? null;
  }

  #merged(rows: readonly UploadRow[], fresh: readonly UploadRow[]): readonly UploadRow[] {
    const byNo = new Map(fresh.map((row) => [row.no, row]));
    const merged: UploadRow[] = [];
    for (const old of rows) {
      const row = byNo.get(old.no) ?? old;
      byNo.delete(old.no);
      if (row === old || belongs(row, this.scope, this.filter, this.search)) merged.push(row);
    }
    for (const row of byNo.values()) {
      if (!belongs(row, this.scope, this.filter, this.search)) continue;
      const at = merged.findIndex((other) => comesBefore(row, other, this.scope));
      // Behind the last loaded row it comes with its own page.
      if (at >= 0) merged.splice(at, 0, row);
      else if (this.#next === null && this.loaded) merged.push(row);
    }
    return merged;
  }

  async #askForWhatIsLoaded(): Promise<void> {
    // A new question: a page still on its way would no longer join on to what comes now.
    const question = ++this.#question;
    const wanted = Math.max(PAGE_ROWS, this.rows.length);
    const rows: UploadRow[] = [];
    let after: Cursor | null = null;
    do {
      const limit = Math.min(LARGEST_PAGE, wanted - rows.length);
      let ended = true;
      await this.#ask(question, after, limit, (page, next) => {
        rows.push(...page);
        after = next;
        ended = false;
      });
      if (ended) return;
    } while (after !== null && rows.length < wanted);
    this.#next = after;
    this.loaded = true;
    this.#answered = this.#asked;
    this.#put(rows);
  }

  #put(rows: readonly UploadRow[]): void {
    this.rows = this.#merged(rows, [...this.#arrived.values()]);
  }

  async #ask(
    question: number,
    after: Cursor | null,
    limit: number,
    take: (rows: UploadRow[], next: Cursor | null) => void,
  ): Promise<void> {
    this.loading = true;
    this.#asks += 1;
    try {
      const query = { scope: this.scope, filter: this.filter, search: this.search.trim(), after, limit };
      const page = await this.backend.listUploads(query);
      if (question === this.#question) take(page.rows, page.next);
    } catch (thrown) {
      if (question === this.#question) this.onError(thrown);
    } finally {
      if (question === this.#question) this.loading = false;
      this.#asks -= 1;
      if (this.#asks === 0 && !this.#reloading) this.#arrived.clear();
    }
  }
}
