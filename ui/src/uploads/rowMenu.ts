// The menu of one row: what fits its state, with the keys that do the same.
import type { UploadRow } from "../bindings/UploadRow";
import { sendAgain, settle } from "../callbacks/resend";
import { t } from "../i18n/index.svelte";
import { copyText } from "../shared/clipboard";
import { shortened } from "../shared/format";
import { withModifier } from "../shared/keys";
import type { MenuItem } from "../shared/Menu.svelte";
import type { AppState } from "../state/app.svelte";
import { cancel, move, objectUrl, pause, possible, resume, retry, type Move } from "./actions";

export function rowMenu(app: AppState, row: UploadRow, open: () => void): MenuItem[] {
  const can = possible(row);
  const items: MenuItem[] = [{ id: "details", text: t("action.details"), hint: t("key.enter"), act: open }];
  const item = (id: string, text: string, hint: string, act: () => void) => items.push({ id, text, hint, act });
  if (can.pause) item("pause", t("action.pause"), t("key.space"), () => void pause(app, row));
  if (can.resume) item("resume", t("action.resume"), t("key.space"), () => void resume(app, row));
  if (can.retry) item("retry", t("action.retry"), withModifier("R"), () => void retry(app, row));
  if (can.move) {
    const to = (place: Move) => () => void move(app, row, place);
    items.push(
      { id: "first", text: t("action.first"), hint: withModifier("↑"), apart: true, act: to("first") },
      { id: "last", text: t("action.last"), hint: withModifier("↓"), act: to("last") },
      { id: "inOrder", text: t("action.inOrder"), act: to("inOrder") },
    );
  }
  items.push(
    {
      id: "reveal", text: t("action.reveal"), apart: true,
      act: () => void app.run(() => app.backend.revealItem(row.path)),
    },
    { id: "copy-url", text: t("action.copyUrl"), act: () => void copyText(objectUrl(row)) },
  );
  row.columns.forEach(({ name, value }, at) =>
    items.push({ id: `copy-column-${at + 1}`, text: t("action.copyColumn", { name }), hint: shortened(value, 12, 6), act: () => void copyText(value) }),
  );
  if (row.callbackBad) {
    items.push(
      { id: "send-again", text: t("resend.one"), apart: true, act: () => void sendAgain(app, row) },
      { id: "settle", text: t("settle.one"), act: () => void settle(app, row) },
    );
  }
  if (can.cancel) {
    const act = () => void cancel(app, row);
    items.push({ id: "cancel", text: t("action.cancelAsk"), hint: t("key.delete"), danger: true, apart: true, act });
  }
  return items;
}
