import { expect, test, vi } from "vitest";

test("charts_load_where_the_computer_has_no_language", async () => {
  vi.spyOn(navigator, "language", "get").mockReturnValue("C");
  expect(() => new Intl.NumberFormat(navigator.language)).toThrow(RangeError);
  await import("./languageTag");
  expect(new Intl.NumberFormat(navigator.language).format(1)).toBe("1");
});
