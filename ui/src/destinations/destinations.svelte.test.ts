import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { MockBackend } from "../backend/mock";
import { i18n } from "../i18n/index.svelte";
import { appContext, AppState } from "../state/app.svelte";
import { BODIES } from "../state/destinationDraft";
import DestinationsView from "./DestinationsView.svelte";

beforeEach(() => i18n.choose("en"));
afterEach(cleanup);

async function open() {
  const backend = new MockBackend();
  const app = new AppState(backend);
  await app.destinations.load();
  render(DestinationsView, { context: appContext(app) });
  return { app, backend };
}

const field = (id: string) => screen.getByTestId<HTMLInputElement>(id);
const type = (id: string, value: string) => fireEvent.input(field(id), { target: { value } });

async function fillIn() {
  await fireEvent.click(screen.getByTestId("dest-new"));
  await type("dest-name", "  print ");
  await type("dest-endpoint", " https://oss-cn-shanghai.aliyuncs.com");
  await type("dest-bucket", "print-shop");
  await type("dest-key-id", "LTAI5tNew ");
  await type("dest-secret", "s3cr3t-s3cr3t");
}

test("a new destination is sent trimmed, and its secret is gone from the form and from memory afterwards", async () => {
  const { app, backend } = await open();
  const save = vi.spyOn(backend, "saveDestination");
  await fillIn();
  const heldAfterwards: unknown[] = [];
  vi.spyOn(backend, "listDestinations").mockImplementation(async () => {
    heldAfterwards.push(app.destinations.draft?.secret);
    return backend.world.destinations;
  });
  await fireEvent.submit(screen.getByTestId("dest-form"));
  await waitFor(() => expect(app.destinations.edited?.name).toBe("print"));
  expect(save.mock.calls[0]?.[0]).toMatchObject({
    id: null, name: "print", endpoint: "https://oss-cn-shanghai.aliyuncs.com", region: "", bucket: "print-shop",
    keyTemplate: "{path}", accessKeyId: "LTAI5tNew", accessKeySecret: "s3cr3t-s3cr3t", securityToken: null, callback: null,
  });
  expect(heldAfterwards).toEqual([""]);
  expect(field("dest-secret").value).toBe("");
  expect(field("dest-secret").placeholder).toBe("stored in the keychain");
  expect(JSON.stringify($state.snapshot(app.destinations.draft))).not.toContain("s3cr3t");
  expect(document.body.innerHTML).not.toContain("s3cr3t");
});

test("a refused save keeps what was typed, so that it can be corrected", async () => {
  const { app, backend } = await open();
  vi.spyOn(backend, "saveDestination").mockRejectedValueOnce({ code: "invalid", message: "bucket", requestId: null });
  await fillIn();
  await fireEvent.submit(screen.getByTestId("dest-form"));
  await waitFor(() => expect(app.toasts[0]?.title).toBe("A value cannot be used"));
  expect(field("dest-secret").value).toBe("s3cr3t-s3cr3t");
});

test("the stored secret is kept when none is typed, and never shown", async () => {
  const { backend } = await open();
  const save = vi.spyOn(backend, "saveDestination");
  expect(field("dest-secret").value).toBe("");
  expect(field("dest-secret").type).toBe("password");
  await fireEvent.submit(screen.getByTestId("dest-form"));
  expect(save.mock.calls[0]?.[0]).toMatchObject({ id: "media", accessKeySecret: null, securityToken: null });
});

test("leaving the form forgets a typed secret", async () => {
  const { app } = await open();
  await fillIn();
  await fireEvent.click(screen.getAllByTestId("dest-row")[1] as HTMLElement);
  expect(field("dest-secret").value).toBe("");
  expect(JSON.stringify($state.snapshot(app.destinations.draft))).not.toContain("s3cr3t");
});

test("a callback comes with an example body, which follows the type until it is edited", async () => {
  const { backend } = await open();
  const save = vi.spyOn(backend, "saveDestination");
  await fillIn();
  await fireEvent.click(screen.getByTestId("dest-callback-toggle"));
  expect(field("dest-callback-body").value).toBe(BODIES.json);
  await fireEvent.click(screen.getByTestId("dest-callback-form"));
  expect(field("dest-callback-body").value).toBe(BODIES.form);
  await type("dest-callback-body", "object=${object}");
  await fireEvent.click(screen.getByTestId("dest-callback-json"));
  expect(field("dest-callback-body").value).toBe("object=${object}");
  await type("dest-callback-url", "https://api.example.com/done");
  await fireEvent.submit(screen.getByTestId("dest-form"));
  expect(save.mock.calls[0]?.[0].callback).toEqual({
    query: [], headers: [], bestEffort: false, expectations: [], columns: [],
    urls: ["https://api.example.com/done"], host: "", body: "object=${object}", bodyType: "json", sni: true,
    variables: [{ name: "x:upload_no", value: "{uploadNo}" }],
  });
});

test("test connection tells what was found, or what is wrong", async () => {
  await open();
  await fireEvent.click(screen.getByTestId("dest-test"));
  const good = await screen.findByTestId("dest-test-result");
  expect(good.textContent).toContain("The bucket answered in 43 ms");
  expect(good.textContent).toContain("oss-cn-hangzhou");
  await type("dest-key-id", "wrong");
  await fireEvent.click(screen.getByTestId("dest-test"));
  await waitFor(() => expect(screen.getByTestId("dest-test-result").dataset["ok"]).toBe("false"));
  expect(screen.getByTestId("dest-test-result").textContent).toContain("OSS does not accept the AccessKey");
});

test("the built-in destination can be tested but neither edited nor deleted", async () => {
  await open();
  await fireEvent.click(screen.getAllByTestId("dest-row")[0] as HTMLElement);
  expect(field("dest-name").matches(":disabled")).toBe(true);
  expect(screen.queryByTestId("dest-save")).toBeNull();
  expect(screen.queryByTestId("dest-delete")).toBeNull();
  expect(screen.queryByTestId("dest-secret")).toBeNull();
  expect(screen.getByTestId("dest-test")).toBeTruthy();
});

test("an endpoint of the wrong region is mended with the one that OSS names, and tested again", async () => {
  await open();
  await type("dest-endpoint", "https://oss-cn-shenzhen.aliyuncs.com");
  await fireEvent.click(screen.getByTestId("dest-test"));
  await fireEvent.click(await screen.findByTestId("dest-use-endpoint"));
  await waitFor(() => expect(screen.getByTestId("dest-test-result").dataset["ok"]).toBe("true"));
  expect(field("dest-endpoint").value).toBe("https://oss-cn-hangzhou.aliyuncs.com");
});

test("own domain, proxy and authority are sent, and the proxy's password is gone from the form afterwards", async () => {
  const { app, backend } = await open();
  const save = vi.spyOn(backend, "saveDestination");
  await fillIn();
  await fireEvent.click(screen.getByTestId("dest-own-domain"));
  await fireEvent.change(screen.getByTestId("dest-proxy"), { target: { value: "at" } });
  await type("dest-proxy-url", " socks5h://mei@10.0.0.1:1080");
  await type("dest-proxy-password", "pr0xy-pass");
  await type("dest-ca-file", " /etc/company.pem ");
  await fireEvent.submit(screen.getByTestId("dest-form"));
  await waitFor(() => expect(app.destinations.edited?.name).toBe("print"));
  expect(save.mock.calls[0]?.[0]).toMatchObject({
    proxyPassword: "pr0xy-pass",
    connection: {
      ownDomain: true, caFile: "/etc/company.pem", proxy: { kind: "at", url: "socks5h://mei@10.0.0.1:1080" },
      keys: { kind: "keychain" },
    },
  });
  expect(JSON.stringify($state.snapshot(app.destinations.draft))).not.toContain("pr0xy-pass");
  expect(document.body.innerHTML).not.toContain("pr0xy-pass");
});

test("keys from an application server need an address and no AccessKey", async () => {
  const { backend } = await open();
  const save = vi.spyOn(backend, "saveDestination");
  await fireEvent.click(screen.getByTestId("dest-new"));
  await type("dest-name", "print");
  await type("dest-endpoint", "https://oss-cn-shanghai.aliyuncs.com");
  await type("dest-bucket", "print-shop");
  await fireEvent.change(screen.getByTestId("dest-keys"), { target: { value: "appServer" } });
  expect(screen.queryByTestId("dest-secret")).toBeNull();
  expect(field("dest-keys-value").required).toBe(true);
  await type("dest-keys-value", "https://app.example.com/oss/token ");
  await fireEvent.submit(screen.getByTestId("dest-form"));
  expect(save.mock.calls[0]?.[0].connection.keys).toEqual({ kind: "appServer", url: "https://app.example.com/oss/token" });
});

test("what becomes of existing objects is explained as it is chosen, and sent", async () => {
  const { backend } = await open();
  const save = vi.spyOn(backend, "saveDestination");
  await fillIn();
  expect(screen.getByTestId("dest-form").textContent).toContain("No request is spent on asking.");
  await fireEvent.change(screen.getByTestId("dest-overwrite"), { target: { value: "skipIdentical" } });
  expect(screen.getByTestId("dest-form").textContent).toContain("A skipped file makes no callback.");
  await fireEvent.submit(screen.getByTestId("dest-form"));
  await waitFor(() => expect(save.mock.calls[0]?.[0]).toMatchObject({ overwrite: "skipIdentical" }));
});

test("a named profile is sent by its id, hides the short form, and its own fields come back without it", async () => {
  const { app, backend } = await open();
  await app.callbacks.load();
  const save = vi.spyOn(backend, "saveDestination");
  await fillIn();
  await fireEvent.click(screen.getByTestId("dest-callback-toggle"));
  await fireEvent.change(screen.getByTestId("dest-callback-profile"), { target: { value: "print" } });
  expect(screen.queryByTestId("dest-callback-body")).toBeNull();
  await fireEvent.submit(screen.getByTestId("dest-form"));
  await waitFor(() => expect(save.mock.calls[0]?.[0]).toMatchObject({ callbackProfileId: "print", callback: null }));
  await waitFor(() => expect(app.destinations.draft?.callbackProfileId).toBe("print"));
  await fireEvent.change(screen.getByTestId("dest-callback-profile"), { target: { value: "" } });
  expect(field("dest-callback-body").value).toBe(BODIES.json);
});
