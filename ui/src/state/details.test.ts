import { waitFor } from "@testing-library/svelte";
import { expect, test, vi } from "vitest";

import { MockBackend } from "../backend/mock";
import { mockDetails } from "../backend/mockDetails";
import { mockRow } from "../backend/mockWorld";
import type { UploadDetails } from "../bindings/UploadDetails";
import { DetailsState } from "./details.svelte";

async function opened() {
  const backend = new MockBackend({ world: { rows: [mockRow({ no: 1, phase: "sending" }), mockRow({ no: 2 })] } });
  let now = 0;
  const details = new DetailsState(backend, vi.fn(), () => now);
  await backend.onChanges((changes) => details.apply(changes));
  await details.open(1);
  const asked = vi.spyOn(backend, "uploadDetails");
  return { backend, details, asked, later: (ms: number) => (now += ms) };
}

test("progress alone updates the row without asking for thousands of parts", async () => {
  const { backend, details, asked } = await opened();
  backend.emit({ rows: [mockRow({ no: 1, phase: "sending", sentBytes: 1000, partsDone: 0 })] });
  expect(details.details?.row.sentBytes).toBe(1000);
  expect(asked).not.toHaveBeenCalled();
});

test("parts are asked for once a second while they arrive", async () => {
  const { backend, asked, later } = await opened();
  const row = mockRow({ no: 1, phase: "sending", sentBytes: 20e6, partsDone: 2 });
  backend.emit({ rows: [row] });
  expect(asked).not.toHaveBeenCalled();
  later(1000);
  backend.emit({ rows: [row] });
  expect(asked).toHaveBeenCalledOnce();
});

test("the object and the callback's answer appear as soon as the upload is done", async () => {
  const { backend, details } = await opened();
  backend.emit({ rows: [mockRow({ no: 1, phase: "done", callback: { kind: "answered", status: 200, tookMs: 9 } })] });
  await waitFor(() => expect(details.details?.object?.etag).toBeTruthy());
  expect(details.details?.callback.answer).toContain('"ok":true');
});

test("another upload's late answer does not replace the open one", async () => {
  const { backend, details, asked } = await opened();
  const answers: ((details: UploadDetails) => void)[] = [];
  asked.mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
  const answer = (no: number) => answers.at(-1)?.(mockDetails(mockRow({ no }), backend.world.destinations[0]));
  void details.refresh();
  void details.open(2);
  answer(1);
  await waitFor(() => expect(answers).toHaveLength(2));
  expect(details.details).toBeNull();
  answer(2);
  await waitFor(() => expect(details.details?.row.no).toBe(2));
});
