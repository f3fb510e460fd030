import { expect, test, vi } from "vitest";

test("charts load where the computer has no language", async () => {
  vi.spyOn(navigator, "language", "get").mockReturnValue("C");
  expect(() => new Intl.NumberFormat(navigator.language)).toThrow(RangeError);
  await import("./languageTag");
  expect(new Intl.NumberFormat(navigator.language).format(1)).toBe("1");
});
