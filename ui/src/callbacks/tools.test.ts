// The tools of the callback room: sending again, settling, the lab, the signature checker, the times.
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import App from "../App.svelte";
import { MockBackend } from "../backend/mock";
import { mockRow } from "../backend/mockWorld";
import type { UploadRow } from "../bindings/UploadRow";
import { i18n } from "../i18n/index.svelte";
import { AppState } from "../state/app.svelte";

// There is no canvas here: what is drawn is looked at in a browser.
vi.mock("./latencyChart", () => ({ drawTrend: () => () => undefined, drawDistribution: () => () => undefined }));

beforeEach(() => i18n.choose("en"));
afterEach(cleanup);

async function open(tool: string, rows?: UploadRow[]) {
  const backend = new MockBackend(rows ? { world: { rows } } : {});
  const app = new AppState(backend);
  render(App, { props: { app } });
  await waitFor(() => expect(app.info).not.toBeNull());
  await fireEvent.click(screen.getByTestId("nav-callbacks"));
  await fireEvent.click(await screen.findByTestId(`cb-tool-${tool}`));
  return { app, backend };
}
const click = (id: string) => fireEvent.click(screen.getByTestId(id));
const type = (id: string, value: string) => fireEvent.input(screen.getByTestId(id), { target: { value } });
const failed = (no: number, some: Partial<UploadRow> = {}) =>
  mockRow({ no, phase: "done", callback: { kind: "failed", ec: "0007-00000203", message: "Error status : 502." }, ...some });
const rowOf = async (no: number) => {
  await waitFor(() => expect(screen.getAllByTestId("failed-row").map((row) => row.dataset["no"])).toContain(String(no)));
  return screen.getAllByTestId("failed-row").find((row) => row.dataset["no"] === String(no)) as HTMLElement;
};

test("before a callback is sent again all that changes is said; a no sends nothing", async () => {
  const { backend } = await open("failed", [failed(1), mockRow({ no: 2, phase: "done", callback: { kind: "answered", status: 200, tookMs: 9 } })]);
  const resend = vi.spyOn(backend, "resendCallbacks");
  const row = await rowOf(1);
  expect(screen.getAllByTestId("failed-row")).toHaveLength(1);
  await fireEvent.click(within(row).getByTestId("failed-send"));
  const question = await screen.findByTestId("confirm");
  for (const part of ["not uploaded again", "Where overwriting is forbidden", "Last-Modified", "ETag", "one more", "Events of the bucket fire again"]) {
    expect(question.textContent).toContain(part);
  }
  await click("confirm-no");
  expect(resend).not.toHaveBeenCalled();
  await fireEvent.click(within(await rowOf(1)).getByTestId("failed-send"));
  await fireEvent.click(await screen.findByTestId("confirm-yes"));
  await waitFor(() => expect(resend).toHaveBeenCalledExactlyOnceWith({ these: { nos: [1] } }));
  await waitFor(() => expect(screen.queryByTestId("failed-row")).toBeNull());
});

test("a bucket without versions is not said to get one more", async () => {
  await open("failed", [failed(1, { bucket: "print-shop" })]);
  await fireEvent.click(within(await rowOf(1)).getByTestId("failed-send"));
  expect((await screen.findByTestId("confirm")).textContent).not.toContain("one more");
});

test("a callback that cannot be sent again is told why and asks nothing", async () => {
  const { app, backend } = await open("failed", [failed(1, { bucket: "studio-archive", name: "old.mov" })]);
  const resend = vi.spyOn(backend, "resendCallbacks");
  await fireEvent.click(within(await rowOf(1)).getByTestId("failed-send"));
  const alert = await screen.findByRole("alert");
  for (const part of ["“old.mov” cannot be sent again", "archived"]) expect(alert.textContent).toContain(part);
  expect(app.question).toBeNull();
  expect(resend).not.toHaveBeenCalled();
});

test("all are sent again after one question, those beyond the loaded page as well", async () => {
  const { backend } = await open("failed", Array.from({ length: 150 }, (_, at) => failed(at + 1)));
  const resend = vi.spyOn(backend, "resendCallbacks");
  await rowOf(150);
  await click("failed-send-all");
  expect((await screen.findByTestId("confirm")).textContent).toContain("Send 150 callbacks again?");
  await click("confirm-yes");
  await waitFor(() => expect(resend).toHaveBeenCalledExactlyOnceWith("allBad"));
});

test("under a search only what it finds is sent again", async () => {
  const { app, backend } = await open("failed", [failed(1, { key: "a/1" }), failed(2, { key: "b/2" })]);
  const resend = vi.spyOn(backend, "resendCallbacks");
  await app.lists.callbacks.setSearch("b/");
  await rowOf(2);
  await click("failed-send-all");
  await fireEvent.click(await screen.findByTestId("confirm-yes"));
  await waitFor(() => expect(resend).toHaveBeenCalledExactlyOnceWith({ these: { nos: [2] } }));
});

test("one is settled at once, all only after a question, and nothing is sent", async () => {
  const { backend } = await open("failed", [failed(1), failed(2), failed(3, { callback: { kind: "unknown" } })]);
  const settled = vi.spyOn(backend, "settleCallbacks");
  const resend = vi.spyOn(backend, "resendCallbacks");
  await fireEvent.click(within(await rowOf(2)).getByTestId("failed-settle"));
  await waitFor(() => expect(screen.getAllByTestId("failed-row")).toHaveLength(2));
  await click("failed-settle-all");
  expect((await screen.findByTestId("confirm")).textContent).toContain("Mark 2 callbacks as settled?");
  await click("confirm-yes");
  await screen.findByText("No failed callbacks");
  expect(settled.mock.calls).toEqual([[[2]], [[3, 1]]]);
  expect(resend).not.toHaveBeenCalled();
});

test("the lab starts on a port, shows what came in with whose signature it bears, and stops", async () => {
  const { backend } = await open("lab");
  const started = vi.spyOn(backend, "startLab");
  await type("lab-port", "28200");
  await click("lab-start");
  expect((await screen.findByTestId("lab-url")).textContent).toBe("http://127.0.0.1:28200/callback");
  expect(started).toHaveBeenCalledExactlyOnceWith(28200);
  const requests = await screen.findAllByTestId("lab-request");
  expect(requests[0]?.textContent).toContain("Signed by the sandbox");
  expect(screen.getByTestId("verdict-signed").textContent).toBe("/callback\nobject=raw%2F2026%2Fnotes.txt&size=3072");
  await fireEvent.click(requests[1] as HTMLElement);
  expect(screen.getByTestId("verdict").dataset["kind"]).toBe("missing");
  await click("lab-clear");
  await waitFor(() => expect(screen.queryByTestId("lab-request")).toBeNull());
  await click("lab-stop");
  await screen.findByTestId("lab-start");
});

test("a request that comes in later is shown when the engine tells of it", async () => {
  const { backend } = await open("lab");
  await screen.findByText("No request yet");
  await backend.startLab(28300);
  backend.emit({ lab: true });
  expect(await screen.findAllByTestId("lab-request")).toHaveLength(2);
});

test("a request that was too long to be kept whole says how long it was", async () => {
  const { backend } = await open("lab");
  await backend.startLab(28300);
  const [newest, ...others] = backend.labView.requests;
  if (newest) backend.labView = { ...backend.labView, requests: [{ ...newest, wholeBytes: 3 << 20 }, ...others] };
  backend.emit({ lab: true });
  expect((await screen.findByTestId("lab-cut")).textContent).toContain("3 MB long");
  await fireEvent.click(screen.getAllByTestId("lab-request")[1] as HTMLElement);
  expect(screen.queryByTestId("lab-cut")).toBeNull();
});

test("a callback that nobody needs to look at is not listed, one not as expected is", async () => {
  await open("failed", [failed(1, { callbackBad: false }), failed(2, { callback: { kind: "notAsExpected", status: 200, tookMs: 9, unmet: null } })]);
  const row = await rowOf(2);
  expect(row.textContent).toContain("Not as expected");
  expect(screen.getAllByTestId("failed-row")).toHaveLength(1);
});

test("a port that cannot be listened on is told, and the lab stays off", async () => {
  await open("lab");
  await type("lab-port", "80");
  await click("lab-start");
  expect((await screen.findByRole("alert")).textContent).toContain("port 80");
  expect(screen.queryByTestId("lab-url")).toBeNull();
});

test("the lab answers as told from the moment it is told", async () => {
  const { backend } = await open("lab");
  await waitFor(() => expect(screen.getByTestId<HTMLTextAreaElement>("lab-body").value).toBe('{"status":"ok"}'));
  expect(screen.getByTestId<HTMLButtonElement>("lab-set").disabled).toBe(true);
  await click("lab-sample-error");
  expect(backend.labView.answer.status).toBe(200);
  await click("lab-set");
  await waitFor(() => expect(backend.labView.answer).toEqual({ status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>", delayMs: 0 }));
});

test.each([
  ["content-type: text/plain", "missing", "Not signed"],
  ["authorization: abc", "noKey", "No key named"],
  ["authorization: abc\nx-oss-pub-key-url: ZXZpbA==", "foreignKey", "Refuse it."],
  ["authorization: abc\nx-oss-pub-key-url: aHR0cHM6Ly9n", "oss", "Signed by OSS"],
])("pasted headers %j are judged %s", async (headers, kind, words) => {
  await open("signature");
  await type("sign-url", "https://api.example.com/oss/done?team=edit");
  await type("sign-headers", headers);
  await type("sign-body", "size=1");
  await click("sign-check");
  const verdict = await screen.findByTestId("verdict");
  expect(verdict.dataset["kind"]).toBe(kind);
  expect(verdict.textContent).toContain(words);
  expect(screen.getByTestId("verdict-signed").textContent).toBe("/oss/done?team=edit\nsize=1");
});

test("the times of a profile are summed up and failures counted by EC; one that was never called says so", async () => {
  await open("lab");
  await fireEvent.click(screen.getAllByTestId("cb-profile")[0] as HTMLElement);
  await fireEvent.click(await screen.findByTestId("cb-view-times"));
  const facts = await screen.findByTestId("times-facts");
  expect(facts.textContent).toContain("240");
  expect(screen.getByTestId("times-failures").textContent).toContain("0007-00000203");
  expect(screen.getByTestId("times-failures").textContent).toContain("answer lost");
  await fireEvent.click(screen.getAllByTestId("cb-profile")[1] as HTMLElement);
  await fireEvent.click(await screen.findByTestId("cb-view-times"));
  await screen.findByText("No callback yet");
});

test("all that failed of one profile are sent again after one question with their number, and those of others are not", async () => {
  const sandbox = (no: number) => failed(no, { destination: "Sandbox" });
  const { backend } = await open("failed", [failed(1, { destination: "media-prod" }), sandbox(2), sandbox(3), sandbox(4)]);
  const resend = vi.spyOn(backend, "resendCallbacks");
  await rowOf(4);
  await fireEvent.click(screen.getAllByTestId("cb-profile")[0] as HTMLElement);
  await fireEvent.click(await screen.findByTestId("cb-view-times"));
  const button = await screen.findByTestId("times-send-all");
  expect(button.textContent).toBe("Send all failed again (1)");
  // Another fails before the button is pressed.
  backend.world.rows.push(failed(5, { destination: "media-prod" }));
  await fireEvent.click(button);
  const question = await screen.findByTestId("confirm");
  for (const part of ["Send 2 callbacks again?", "Where overwriting is forbidden", "Last-Modified", "ETag", "Events of the bucket fire again"]) expect(question.textContent).toContain(part);
  await click("confirm-no");
  expect(resend).not.toHaveBeenCalled();
  await click("times-send-all");
  await fireEvent.click(await screen.findByTestId("confirm-yes"));
  await waitFor(() => expect(resend).toHaveBeenCalledExactlyOnceWith({ allBadOf: { profileId: "edit" } }));
  expect(backend.world.rows.filter((row) => row.callback.kind === "failed").map(({ no }) => no)).toEqual([2, 3, 4]);
});

test("a profile of which nothing failed offers nothing to be sent again, and is counted anew when the sending has ended", async () => {
  const { backend } = await open("failed", [failed(1, { destination: "media-prod" })]);
  await fireEvent.click(screen.getAllByTestId("cb-profile")[0] as HTMLElement);
  await fireEvent.click(await screen.findByTestId("cb-view-times"));
  await screen.findByTestId("times-send-all");
  const again = (callback: UploadRow["callback"]) => backend.emit({ rows: [failed(1, { destination: "media-prod", callback })] });
  again({ kind: "callingAgain" });
  again({ kind: "answered", status: 200, tookMs: 9 });
  await waitFor(() => expect(screen.queryByTestId("times-send-all")).toBeNull());
});

test("how far the sending has got stands beside the button, and it can be stopped", async () => {
  const again = (no: number) => failed(no, { callback: { kind: "callingAgain" } });
  const { app, backend } = await open("failed", [failed(1), failed(2), failed(3)]);
  const stop = vi.spyOn(backend, "stopResending");
  await rowOf(3);
  expect(screen.queryByTestId("resend-stop")).toBeNull();
  backend.calledAgain = 12;
  backend.emit({ rows: [again(1), again(2)] });
  expect((await screen.findByTestId("resend-progress")).textContent).toBe("12 of 14 done");
  await click("resend-stop");
  await waitFor(() => expect(screen.queryByTestId("resend-progress")).toBeNull());
  expect(stop).toHaveBeenCalledOnce();
  expect(app.question).toBeNull();
  await screen.findByText("2 callbacks are not sent again");
});

test("a stop that finds nothing waiting says that the rest is finished", async () => {
  const { backend } = await open("failed", [failed(1, { callback: { kind: "callingAgain" } })]);
  vi.spyOn(backend, "stopResending").mockResolvedValue(0);
  await fireEvent.click(await screen.findByTestId("resend-stop"));
  await screen.findByText("Nothing was waiting any more; what is under way is finished");
});

test("the sending of a profile's callbacks is followed and stopped beside its times", async () => {
  const { backend } = await open("failed", [failed(1, { destination: "media-prod", callback: { kind: "callingAgain" } })]);
  await fireEvent.click(screen.getAllByTestId("cb-profile")[0] as HTMLElement);
  await fireEvent.click(await screen.findByTestId("cb-view-times"));
  expect((await screen.findByTestId("resend-progress")).textContent).toBe("All profiles: 0 of 1 done");
  expect(screen.getByTestId("resend-stop").title).toContain("of all profiles");
  const stop = vi.spyOn(backend, "stopResending");
  await click("resend-stop");
  expect(stop).toHaveBeenCalledOnce();
});
