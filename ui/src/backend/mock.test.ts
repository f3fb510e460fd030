import { expect, test } from "vitest";

import type { UploadSelection } from "../bindings/UploadSelection";
import { MockBackend } from "./mock";
import { mockRow } from "./mockWorld";

const EVERYTHING: UploadSelection = { filter: "all", search: "", batch: null, numbers: [] };

function world() {
  const rows = [
    ...[1, 2, 3].map((no) => mockRow({ no, batch: 1 })),
    mockRow({ no: 4, batch: 2, phase: "paused", key: "raw/cam-b/4" }),
    mockRow({ no: 5, batch: 2, phase: "done" }),
    mockRow({ no: 6, batch: 2, phase: "completing" }),
    mockRow({ no: 7, batch: 2, phase: "failed" }),
    mockRow({ no: 8, batch: 2 }),
  ];
  const mock = new MockBackend({ world: { rows } });
  return {
    mock,
    waiting: () => mock.line.waiting(mock.world.rows).map((row) => row.no),
    phases: () => mock.world.rows.map((row) => row.phase),
  };
}

test("many at once: what a wish does not fit is left as it is", async () => {
  const { mock, phases } = world();
  await mock.wishMany(EVERYTHING, "cancel");
  expect(phases()).toEqual(["cancelled", "cancelled", "cancelled", "cancelled", "done", "completing", "cancelled", "cancelled"]);
});

test("many at once: filter, search, batch and numbers must all fit", async () => {
  const { mock, phases } = world();
  await mock.wishMany({ ...EVERYTHING, filter: "waiting", batch: 1, numbers: [2, 4, 8] }, "pause");
  expect(phases()).toEqual(["queued", "paused", "queued", "paused", "done", "completing", "failed", "queued"]);
  await mock.wishMany({ ...EVERYTHING, search: "CAM-B" }, "resume");
  expect(phases().slice(0, 4)).toEqual(["queued", "paused", "queued", "queued"]);
});

test("the line is in order of age until something is moved to its front or back, and again afterwards", async () => {
  const { mock, waiting } = world();
  await mock.wishMany({ ...EVERYTHING, numbers: [3] }, "first");
  await mock.wishMany({ ...EVERYTHING, numbers: [1] }, "last");
  expect(waiting()).toEqual([3, 2, 8, 1]);
  await mock.wishMany({ ...EVERYTHING, numbers: [2] }, "first");
  expect(waiting()).toEqual([2, 3, 8, 1]);
  await mock.wishMany(EVERYTHING, "inOrder");
  expect(waiting()).toEqual([1, 2, 3, 8]);
});
