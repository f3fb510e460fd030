// The variables that OSS fills in, those of a profile, and the placeholders that we fill in per file.
import type { Variable } from "../bindings/Variable";

export const SYSTEM_VARIABLES = [
  { name: "bucket", type: "text" },
  { name: "object", type: "text" },
  { name: "etag", type: "text" },
  { name: "size", type: "number" },
  { name: "mimeType", type: "text" },
  { name: "crc64", type: "text" },
  { name: "reqId", type: "text" },
  { name: "clientIp", type: "text" },
  { name: "imageInfo.width", type: "number" },
  { name: "imageInfo.height", type: "number" },
  { name: "imageInfo.format", type: "text" },
  { name: "contentMd5", type: "text" },
  { name: "vpcId", type: "text" },
  { name: "operation", type: "text" },
] as const;

export type SystemVariable = (typeof SYSTEM_VARIABLES)[number]["name"];

/** How many chips stand before the rest is asked for. */
export const FIRST_CHIPS = 9;

export const TEMPLATES = [
  "{name}", "{stem}", "{ext}", "{path}", "{folder}", "{size}", "{uploadNo}", "{batch.no}", "{uuid}", "{date:%Y-%m-%d}",
] as const;
export type Template = (typeof TEMPLATES)[number];

/** One thing to insert: a system variable, or one of the profile. */
export interface Insertable {
  name: string;
  type: "text" | "number";
  /** The template of one of ours. */
  value: string | null;
}

export function insertables(variables: readonly Variable[]): Insertable[] {
  const ours = variables.filter(({ name }) => name.trim() !== "" && name.trim() !== "x:");
  return [
    ...ours.map(({ name, value }): Insertable => ({ name: name.trim(), type: "text", value })),
    ...SYSTEM_VARIABLES.map((one): Insertable => ({ ...one, value: null })),
  ];
}

export function isSystem(name: string): name is SystemVariable {
  return SYSTEM_VARIABLES.some((one) => one.name === name);
}
