import { expect, test } from "vitest";

import { mockForm } from "../backend/mockProfiles";
import { printProfile, readProfile } from "./profileJson";

const profile = {
  name: "Edit finished",
  form: mockForm({
    variables: [{ name: "x:job", value: "{name}" }], bestEffort: true,
    expectations: [{ pointer: "/status", comparison: "equals", value: "ok" }], columns: [{ title: "Job", pointer: "/id" }],
  }),
};

test("a profile printed as JSON is read back whole", () => {
  expect(readProfile(printProfile(profile))).toEqual({ ok: profile });
});

test("text that is not JSON is refused with the reason", () => {
  expect(readProfile("{ urls: }")).toHaveProperty("syntax");
});

test.each([
  ['"sni": true', '"sni": "yes"', { path: "sni", must: "switch" }],
  ['"host": ""', '"hsot": ""', { path: "hsot", must: "unknown" }],
  ['"host": "",', "", { path: "host", must: "missing" }],
  ['"bodyType": "form"', '"bodyType": "xml"', { path: "bodyType", must: "bodyKind" }],
  ['"value": "{name}"', '"value": 7', { path: "variables[0].value", must: "text" }],
  ['"comparison": "equals"', '"comparison": "is"', { path: "expectations[0].comparison", must: "comparison" }],
] as const)("%s written as %s is refused with its place", (right, wrong, shape) => {
  const source = printProfile(profile).replace(right, wrong);
  expect(readProfile(source)).toEqual({ shape });
});
