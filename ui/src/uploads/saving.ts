// Text into a file: the system's dialog asks where to, and what came of it is said.
import { toIpcError } from "../backend/types";
import { t } from "../i18n/index.svelte";
import { isJson } from "../shared/json";
import type { AppState } from "../state/app.svelte";

/** An answer's file is called after its object. */
export function answerName(key: string, answer: string): string {
  return `${key.split("/").at(-1)}.callback.${isJson(answer) ? "json" : "txt"}`;
}

/** Tells where the text is, or why it is not; nothing when the user changed their mind. */
export async function saveText(app: AppState, name: string, text: string, notes: string[] = []): Promise<void> {
  try {
    const path = await app.backend.saveText(name, text);
    if (path !== null) app.say("info", t("save.done"), [path, ...notes]);
  } catch (thrown) {
    app.say("bad", t("save.failed"), [toIpcError(thrown).message]);
  }
}
