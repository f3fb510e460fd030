// A callback profile chosen for what is dropped next, and for a watched folder.
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import App from "../App.svelte";
import { MockBackend } from "../backend/mock";
import { i18n } from "../i18n/index.svelte";
import { AppState } from "../state/app.svelte";

beforeEach(() => i18n.choose("en"));
afterEach(cleanup);

async function open() {
  const backend = new MockBackend();
  const app = new AppState(backend);
  render(App, { props: { app } });
  await waitFor(() => expect(app.info).not.toBeNull());
  const profile = app.callbacks.all[0]!;
  return { app, backend, profile, added: vi.spyOn(backend, "addPaths") };
}

const choose = (testid: string, value: string) => fireEvent.change(screen.getByTestId(testid), { target: { value } });

test("a drop asks for the profile that was chosen, and says so before it is released", async () => {
  const { backend, profile, added } = await open();
  await choose("callback-select", profile.id);
  backend.drop({ kind: "enter", paths: ["/a.mov"] });
  expect((await screen.findByTestId("drop-callback")).textContent).toBe(profile.name);
  backend.drop({ kind: "drop", paths: ["/a.mov"] });
  await waitFor(() => expect(added).toHaveBeenCalledExactlyOnceWith(["/a.mov"], null, profile.id));
});

test("as the destination says is asked for again once it is chosen", async () => {
  const { backend, profile, added } = await open();
  await choose("callback-select", profile.id);
  await choose("callback-select", "");
  backend.drop({ kind: "enter", paths: ["/a.mov"] });
  expect((await screen.findByTestId("drop-callback")).textContent).toContain("https://api.example.com/oss/done");
  backend.drop({ kind: "drop", paths: ["/a.mov"] });
  await waitFor(() => expect(added).toHaveBeenCalledExactlyOnceWith(["/a.mov"], null, null));
});

test("a profile that was deleted meanwhile is not asked for", async () => {
  const { app, backend, profile, added } = await open();
  await choose("callback-select", profile.id);
  await app.callbacks.remove(profile.id);
  await waitFor(() => expect((screen.getByTestId("callback-select") as HTMLSelectElement).value).toBe(""));
  backend.drop({ kind: "drop", paths: ["/a.mov"] });
  await waitFor(() => expect(added).toHaveBeenCalledExactlyOnceWith(["/a.mov"], null, null));
});

test("a watched folder's files ask for the profile that was chosen for it, and the row names it", async () => {
  const { app, backend, profile } = await open();
  const saved = vi.spyOn(backend, "saveWatchedFolder");
  app.goTo("folders");
  await fireEvent.click(await screen.findByTestId("folder-add"));
  await fireEvent.input(screen.getByTestId("folder-path"), { target: { value: "/in" } });
  await choose("folder-callback", profile.id);
  await fireEvent.click(screen.getByTestId("folder-save"));
  await waitFor(() => expect(saved).toHaveBeenCalledOnce());
  expect(saved.mock.calls[0]?.[0]).toMatchObject({ path: "/in", callbackProfileId: profile.id });
  await waitFor(() => expect(screen.getAllByTestId("folder-row").at(-1)?.textContent).toContain(`Callback ${profile.name}`));
});
