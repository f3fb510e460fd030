// Colours of a signature's verdict; they only repeat what the words say.
import type { SignatureKind } from "../bindings/SignatureKind";
import type { Tone } from "../shared/Pill.svelte";

export function toneOf(kind: SignatureKind): Tone {
  if (kind === "oss" || kind === "sandbox") return "ok";
  return kind === "missing" || kind === "keyUnreachable" ? "warn" : "bad";
}
