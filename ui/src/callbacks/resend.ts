// Sending callbacks again: always asked first, in words that say what changes in OSS. And settling those that are dealt with.
import type { ResendPlan } from "../bindings/ResendPlan";
import type { UploadRow } from "../bindings/UploadRow";
import { t, tn } from "../i18n/index.svelte";
import { bytes } from "../shared/format";
import type { AppState } from "../state/app.svelte";
import type { UploadsState } from "../state/uploads.svelte";

/** What becomes of the object. */
export function changesOf(plan: ResendPlan): string[] {
  const how = plan.parts === 0 ? t("resend.putAgain") : t("resend.copied", { size: bytes(plan.sizeBytes) });
  const version = plan.newVersion ? [t("resend.newVersion")] : [];
  return [how, t("resend.lastModified"), t("resend.etag"), ...version, t("resend.events")];
}

export async function sendAgain(app: AppState, row: UploadRow): Promise<void> {
  await app.run(async () => {
    const plan = await app.backend.planResend(row.no);
    if (plan.problem) {
      app.say("bad", t("resend.cannot", { name: row.name }), [plan.problem.message, t(`code.${plan.problem.code}.next`)]);
      return;
    }
    const sure = await app.ask({
      title: t("resend.title", { name: row.name }),
      text: t("resend.text"),
      points: changesOf(plan),
      harmless: true,
      yes: t("resend.yes"),
      no: t("dialog.cancel"),
    });
    if (sure) said(app, await app.backend.resendCallbacks({ these: { nos: [row.no] } }));
  });
}

/** All that is listed. Without a search that is every one there is, listed or not. */
export async function sendAllAgain(app: AppState, list: UploadsState): Promise<void> {
  const everything = list.search.trim() === "";
  const rows = await allOf(list);
  if (!(await wanted(app, rows.length))) return;
  await app.run(async () => {
    const selection = everything ? "allBad" : { these: { nos: rows.map(({ no }) => no) } };
    said(app, await app.backend.resendCallbacks(selection));
  });
}

/** All of one profile that need somebody, as many as there are now. */
export async function sendProfileAgain(app: AppState, profileId: string): Promise<void> {
  await app.run(async () => {
    const { bad } = await app.backend.callbackTimes(profileId);
    if (bad > 0 && !(await wanted(app, bad))) return;
    said(app, await app.backend.resendCallbacks({ allBadOf: { profileId } }));
  });
}

function wanted(app: AppState, callbacks: number): Promise<boolean> {
  return app.ask({
    title: tn("resend.allTitle", callbacks),
    text: t("resend.allText"),
    points: [t("resend.copiedAll"), t("resend.lastModified"), t("resend.etag"), t("resend.maybeVersion"), t("resend.events")],
    harmless: true,
    yes: t("resend.yes"),
    no: t("dialog.cancel"),
  });
}

/** Those that wait are not sent; no question, since what was asked for can be asked for again. */
export async function stopSending(app: AppState): Promise<void> {
  await app.run(async () => {
    const dropped = await app.backend.stopResending();
    if (dropped > 0) app.say("info", tn("resend.stopped", dropped), [t("resend.stopped.about")]);
    else app.say("info", t("resend.stopped.none"));
  });
}

export function settle(app: AppState, row: UploadRow): Promise<void> {
  return app.run(() => app.backend.settleCallbacks([row.no]));
}

export async function settleAll(app: AppState, list: UploadsState): Promise<void> {
  const rows = await allOf(list);
  const sure = await app.ask({
    title: tn("settle.title", rows.length),
    text: t("settle.text"),
    yes: t("settle.yes"),
    no: t("dialog.cancel"),
  });
  if (sure) await app.run(() => app.backend.settleCallbacks(rows.map(({ no }) => no)));
}

/** Reads the list to its end; it stops where a page does not come. */
async function allOf(list: UploadsState): Promise<readonly UploadRow[]> {
  for (let before = -1; !list.complete && list.rows.length > before; ) {
    before = list.rows.length;
    await list.more();
  }
  return list.rows;
}

function said(app: AppState, count: number): void {
  if (count > 0) app.say("info", tn("resend.begun", count));
  else app.say("bad", t("resend.nothing"));
}
