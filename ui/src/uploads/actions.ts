// What a person may do to an upload in its present state, and the doing. The engine has the last word.
import type { UploadRow } from "../bindings/UploadRow";
import { t } from "../i18n/index.svelte";
import type { AppState } from "../state/app.svelte";
import { fits } from "../state/order";

export interface Possible {
  pause: boolean;
  resume: boolean;
  retry: boolean;
  cancel: boolean;
  /** It has a place in the line. */
  move: boolean;
}

export function possible(row: UploadRow): Possible {
  return {
    pause: fits("pause", row),
    resume: fits("resume", row),
    // One that waits with a reason may ask at once whether the reason is gone.
    retry: fits("retry", row) || ((row.phase === "queued" || row.phase === "completing") && row.retryAtMs !== null),
    cancel: fits("cancel", row),
    move: fits("first", row),
  };
}

export function pause(app: AppState, row: UploadRow): Promise<void> {
  return app.run(() => app.backend.pauseUpload(row.no));
}

export function resume(app: AppState, row: UploadRow): Promise<void> {
  return app.run(() => app.backend.resumeUpload(row.no));
}

export function retry(app: AppState, row: UploadRow): Promise<void> {
  return app.run(() => app.backend.retryUpload(row.no));
}

/** Asks first: what was sent of it goes away. */
export async function cancel(app: AppState, row: UploadRow): Promise<void> {
  const sure = await app.ask({
    title: t("cancel.title", { name: row.name }),
    text: t("cancel.text"),
    yes: t("action.cancel"),
    no: t("action.keep"),
  });
  if (sure) await app.run(() => app.backend.cancelUpload(row.no));
}

/** Changes of order. Lists are in order of age all the same, so a message says that it is done. */
export type Move = "first" | "last" | "inOrder";

export function move(app: AppState, row: UploadRow, to: Move): Promise<void> {
  return app.run(async () => {
    await app.backend.wishMany({ filter: "all", search: "", batch: null, numbers: [row.no] }, to);
    app.say("info", t(`moved.${to}`), [row.name]);
  });
}

export function pauseOrResume(app: AppState, row: UploadRow): Promise<void> {
  const can = possible(row);
  if (can.pause) return pause(app, row);
  return can.resume ? resume(app, row) : Promise.resolve();
}

export function objectUrl(row: UploadRow): string {
  return `oss://${row.bucket}/${row.key}`;
}
