import { expect, test, vi } from "vitest";

import { MockBackend } from "../backend/mock";
import { mockForm } from "../backend/mockProfiles";
import type { CallbackProfileView } from "../bindings/CallbackProfileView";
import type { CallbackStudy } from "../bindings/CallbackStudy";
import { savedForm, studiedForm } from "./callbackDraft";
import { CallbacksState } from "./callbacks.svelte";

async function open(mayDiscard = async () => true) {
  const backend = new MockBackend();
  const errors: unknown[] = [];
  const state = new CallbacksState(backend, (thrown) => errors.push(thrown), mayDiscard);
  await state.load();
  await state.open("edit");
  return { backend, state, errors };
}

const empty = (refusal: string): CallbackStudy => ({ preview: null, refusal, findings: [], unresolved: false });

test("an answer to an older question does not replace the newer one", async () => {
  const { backend, state } = await open();
  let answerFirst: (study: CallbackStudy) => void = () => undefined;
  vi.spyOn(backend, "studyCallback")
    .mockImplementationOnce(() => new Promise((resolve) => (answerFirst = resolve)))
    .mockResolvedValueOnce(empty("second"));
  const first = state.studyNow();
  await state.studyNow();
  answerFirst(empty("first"));
  await first;
  expect(state.study?.refusal).toBe("second");
});

test("names are asked for once typing has rested, and not again until the addresses have changed", async () => {
  const { backend, state } = await open();
  vi.useFakeTimers();
  const studied = vi.spyOn(backend, "studyCallback");
  const asked = () => studied.mock.calls.filter(([form]) => form.resolve).map(([form]) => form.form.urls[0]);
  try {
    for (const url of ["https://a", "https://api.ex", "https://api.example.com", "https://api.example.com/cb"]) {
      if (state.draft) state.draft.form.urls[0] = url;
      state.studySoon();
      await vi.advanceTimersByTimeAsync(600);
    }
    expect(studied).toHaveBeenCalledTimes(4);
    expect(asked()).toEqual([]);
    await vi.advanceTimersByTimeAsync(400);
    expect(asked()).toEqual(["https://api.example.com/cb"]);
    if (state.draft) state.draft.form.body = "object=${object}";
    state.studySoon();
    await vi.advanceTimersByTimeAsync(5000);
    expect(asked()).toHaveLength(1);
    if (state.draft) state.draft.form.urls[0] = "https://b.example.com/cb";
    state.studySoon();
    await vi.advanceTimersByTimeAsync(5000);
    expect(asked()).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});

test("names that were not told in time are asked for again, and then no more", async () => {
  const { backend, state } = await open();
  vi.useFakeTimers();
  const studied = vi.spyOn(backend, "studyCallback");
  const asked = () => studied.mock.calls.filter(([form]) => form.resolve);
  try {
    for (const [unresolved, times] of [[true, 1], [false, 2], [false, 2]] as const) {
      studied.mockResolvedValue({ ...empty(""), unresolved });
      state.studySoon();
      await vi.advanceTimersByTimeAsync(5000);
      expect(asked()).toHaveLength(times);
    }
  } finally {
    vi.useRealTimers();
  }
});

test("a study that fails says why in the preview and raises no message for every key", async () => {
  const { backend, state, errors } = await open();
  vi.spyOn(backend, "studyCallback").mockRejectedValueOnce({ code: "sourceGone", message: "clip.mov is gone", requestId: null });
  await state.studyNow();
  expect(state.study?.refusal).toBe("clip.mov is gone");
  expect(errors).toEqual([]);
});

test("what is typed while a profile is being saved stays, and is still unsaved", async () => {
  const { backend, state } = await open();
  let answer: () => void = () => undefined;
  const real = backend.saveCallbackProfile.bind(backend);
  vi.spyOn(backend, "saveCallbackProfile").mockImplementationOnce(async (draft) => {
    await new Promise<void>((resolve) => (answer = resolve));
    return real(draft);
  });
  if (state.draft) state.draft.name = "Edit";
  const saving = state.save();
  if (state.draft) state.draft.name = "Edit done";
  answer();
  await saving;
  expect(state.draft?.name).toBe("Edit done");
  expect(state.dirty).toBe(true);
  expect(backend.profiles[0]?.name).toBe("Edit");
});

test("a refused save keeps what was typed and tells", async () => {
  const { state, errors } = await open();
  if (state.draft) state.draft.name = " ";
  expect(await state.save()).toBeNull();
  expect(state.draft?.name).toBe(" ");
  expect(errors).toHaveLength(1);
  expect(state.busy).toBeNull();
});

test("a profile that was changed elsewhere is shown anew, but never over unsaved changes", async () => {
  const { backend, state } = await open();
  const rename = (name: string) =>
    (backend.profiles = backend.profiles.map((one): CallbackProfileView => (one.id === "edit" ? { ...one, name } : one)));
  rename("By command line");
  await state.load();
  expect(state.draft?.name).toBe("By command line");
  if (state.draft) state.draft.form.host = "typed.example.com";
  rename("Again");
  await state.load();
  expect(state.draft?.name).toBe("By command line");
});

test("a trial of one profile is not shown beside another", async () => {
  const { backend, state } = await open();
  let answer: () => void = () => undefined;
  const real = backend.probeServer.bind(backend);
  vi.spyOn(backend, "probeServer").mockImplementationOnce(async () => {
    await new Promise<void>((resolve) => (answer = resolve));
    return real();
  });
  const probing = state.try("probe");
  await state.open("print");
  answer();
  await probing;
  expect(state.trial).toBeNull();
});

test("rows that are studied keep their places; rows that are saved lose blanks and empty ones", () => {
  const form = mockForm({ urls: [" ", "https://b.example.com ", ""], query: [{ name: "", value: "" }, { name: " a ", value: " 1" }] });
  expect(studiedForm(form)).toMatchObject({ urls: [" ", "https://b.example.com "], query: [{ name: "", value: "" }, { name: " a ", value: " 1" }] });
  expect(savedForm(form)).toMatchObject({ urls: ["https://b.example.com"], query: [{ name: "a", value: " 1" }] });
});
