// What a person may do to all that Transfers shows, by filter and search, and the doing; the engine finds the rows itself.
import type { Counts } from "../bindings/Counts";
import type { Cursor } from "../bindings/Cursor";
import type { UploadSelection } from "../bindings/UploadSelection";
import type { Wish } from "../bindings/Wish";
import { t, tn } from "../i18n/index.svelte";
import { number } from "../shared/format";
import type { AppState } from "../state/app.svelte";
import { fits } from "../state/order";
import type { UploadsState } from "../state/uploads.svelte";

type Group = "uploading" | "waiting" | "paused" | "failed";
const GROUPS: Readonly<Record<Wish, readonly Group[]>> = {
  pause: ["uploading", "waiting"], resume: ["paused"], retry: ["failed"],
  cancel: ["uploading", "waiting", "paused", "failed"],
  first: ["waiting", "paused"], last: ["waiting", "paused"], inOrder: ["waiting", "paused"],
};
const LARGEST_PAGE = 500;
const MOST_PAGES = 20;

/** How many a wish fits: so many, or at least so many. */
export interface Reach {
  count: number;
  exact: boolean;
}

/** Of all that is shown, as far as the window knows it without asking; null when the wish fits nothing. */
export function reachOf(wish: Wish, list: UploadsState, counts: Counts): Reach | null {
  const groups = GROUPS[wish].filter((group) => list.filter === "all" || list.filter === group);
  const narrowed = list.filter !== "all" || list.search.trim() !== "";
  // Who moves everything moves nothing.
  if (groups.length === 0 || (!narrowed && (wish === "first" || wish === "last"))) return null;
  const loaded = list.rows.filter((row) => fits(wish, row)).length;
  if (list.complete) return loaded > 0 ? { count: loaded, exact: true } : null;
  if (list.search.trim() !== "") return { count: loaded, exact: false };
  const count = groups.reduce((sum, group) => sum + counts[group], 0);
  return count > 0 ? { count, exact: true } : null;
}

export function reachWords({ count, exact }: Reach): string {
  return exact ? number(count) : t("shown.atLeast", { n: number(count) });
}

function selectionOf(list: UploadsState): UploadSelection {
  return { filter: list.filter, search: list.search.trim(), batch: null, numbers: [] };
}

export function wishShown(app: AppState, list: UploadsState, wish: Exclude<Wish, "cancel">): Promise<void> {
  return app.run(async () => {
    await app.backend.wishMany(selectionOf(list), wish);
    if (wish === "first" || wish === "last" || wish === "inOrder") app.say("info", t(`moved.${wish}`));
  });
}

/** Asks first: says how many, and what is lost. */
export function cancelShown(app: AppState, list: UploadsState): Promise<void> {
  const selection = selectionOf(list);
  return app.run(async () => {
    const known = reachOf("cancel", list, app.counts);
    const reach = known?.exact === false ? await counted(app, selection) : known;
    if (!reach || reach.count === 0) return app.say("info", t("shown.nothing"));
    const sure = await app.ask({
      title: reach.exact ? tn("cancelShown.title", reach.count) : t("cancelShown.titleMore", { n: number(reach.count) }),
      text: t("cancelShown.text"),
      yes: t("cancelShown.yes"),
      no: t("cancelShown.no"),
    });
    if (sure) await app.backend.wishMany(selection, "cancel");
  });
}

/** Looks through what a search finds, page by page; at some point "more than" says enough. */
async function counted(app: AppState, { filter, search }: UploadSelection): Promise<Reach> {
  let count = 0;
  let after: Cursor | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { rows, next } = await app.backend.listUploads({ scope: "transfers", filter, search, after, limit: LARGEST_PAGE });
    count += rows.filter((row) => fits("cancel", row)).length;
    if (next === null) return { count, exact: true };
    after = next;
  }
  return { count, exact: false };
}
