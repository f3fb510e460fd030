// The form of limits: what is set comes back as it was, and what is typed reaches the engine.
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import App from "../App.svelte";
import { MockBackend } from "../backend/mock";
import type { Limits } from "../bindings/Limits";
import { i18n } from "../i18n/index.svelte";
import { AppState } from "../state/app.svelte";
import { draftOf, limitsOf } from "./limits";

beforeEach(() => i18n.choose("en"));
afterEach(cleanup);

const FREE = { bytesPerSecond: null, requestsPerSecond: null };

test("limits come back from the form as they were, to the byte", () => {
  const rates = [1024, 100_000, 1_048_575, 1_048_576, 1_500_000, 123_456_789];
  const line = (days: number[], fromMinute: number, untilMinute: number) => ({ days, fromMinute, untilMinute, limit: FREE });
  for (const bytesPerSecond of rates) {
    const usual = { bytesPerSecond, requestsPerSecond: 7 };
    const rules = { usual, timetable: [line([1, 7], 0, 1), line([6], 1320, 360)] };
    const limits: Limits = { everywhere: rules, destinations: [{ destinationId: "d", rules }], requestsAtOnce: 8 };
    expect(limitsOf(draftOf(limits))).toEqual(limits);
  }
});

test("a destination without rules is left out, and midnight at the end is the next day's beginning", () => {
  const timetable = [{ days: [1], fromMinute: 1080, untilMinute: 1440, limit: FREE }];
  const rules = { usual: FREE, timetable: [] };
  const limits: Limits = {
    everywhere: { usual: FREE, timetable }, destinations: [{ destinationId: "d", rules }], requestsAtOnce: null,
  };
  const back = limitsOf(draftOf(limits));
  expect(back.destinations).toEqual([]);
  expect(back.everywhere.timetable[0]?.untilMinute).toBe(0);
});

async function settings() {
  const backend = new MockBackend();
  const app = new AppState(backend);
  render(App, { props: { app } });
  await waitFor(() => expect(app.info).not.toBeNull());
  await fireEvent.click(screen.getByTestId("nav-settings"));
  await screen.findByTestId("limits-form");
  return { backend, save: vi.spyOn(backend, "saveLimits") };
}

const type = (at: HTMLElement, value: string) => fireEvent.input(at, { target: { value } });

test("a limit is typed, a line of the timetable changed, and both are saved", async () => {
  const { save } = await settings();
  const usual = within(screen.getByTestId("limits-usual"));
  await type(usual.getByTestId("limit-speed"), "1.5");
  await type(usual.getByTestId("limit-requests"), "20");
  await type(screen.getByTestId("limits-at-once"), "32");
  const line = within(screen.getByTestId("limit-line"));
  expect(line.getByTestId<HTMLInputElement>("limit-speed").value).toBe("2");
  await fireEvent.click(line.getByTestId("limit-day-6"));
  await type(line.getByTestId("limit-until"), "17:30");
  await fireEvent.submit(screen.getByTestId("limits-form"));
  const office = { bytesPerSecond: 2_097_152, requestsPerSecond: null };
  await waitFor(() => expect(save).toHaveBeenCalledExactlyOnceWith({
    everywhere: {
      usual: { bytesPerSecond: 1_572_864, requestsPerSecond: 20 },
      timetable: [{ days: [1, 2, 3, 4, 5, 6], fromMinute: 540, untilMinute: 1050, limit: office }],
    },
    destinations: [],
    requestsAtOnce: 32,
  }));
  await screen.findByText("The limits count from now on");
});

test("a destination has limits of its own, and lines are added and removed", async () => {
  const { save } = await settings();
  await fireEvent.click(screen.getByTestId("limit-remove"));
  expect(screen.queryByTestId("limit-line")).toBeNull();
  await fireEvent.change(screen.getByTestId("limits-for"), { target: { value: "media" } });
  await fireEvent.click(screen.getByTestId("limits-add"));
  const line = within(screen.getByTestId("limit-line"));
  await type(line.getByTestId("limit-speed"), "3");
  await fireEvent.submit(screen.getByTestId("limits-form"));
  const limit = { bytesPerSecond: 3_145_728, requestsPerSecond: null };
  const timetable = [{ days: [1, 2, 3, 4, 5], fromMinute: 540, untilMinute: 1080, limit }];
  await waitFor(() => expect(save).toHaveBeenCalledExactlyOnceWith({
    everywhere: { usual: FREE, timetable: [] },
    destinations: [{ destinationId: "media", rules: { usual: FREE, timetable } }],
    requestsAtOnce: null,
  }));
});
