// Names of keys as this system writes them.
const MAC = navigator.userAgent.includes("Mac");

/** A key with the modifier of commands: `Ctrl F`, `⌘ F`. */
export function withModifier(key: string): string {
  return `${MAC ? "⌘" : "Ctrl"} ${key}`;
}
