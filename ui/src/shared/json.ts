// Pretty printing that keeps every character of every value: numbers are copied, never parsed, so 64-bit ones survive.

export type TokenKind = "plain" | "key" | "string" | "number" | "word" | "variable";
export interface Token {
  kind: TokenKind;
  text: string;
}

/** Larger texts are shown as they are: a window should not stall on someone else's answer. */
const LARGEST_CHARS = 200_000;

const LEXEME = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;

/** Whether the text is JSON, whatever is in it. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Tokens of the text as indented JSON, or null when it is not JSON. */
export function prettyJson(text: string): Token[] | null {
  if (text.length > LARGEST_CHARS || !isJson(text)) return null;
  const lexemes = text.match(LEXEME) ?? [];
  const tokens: Token[] = [];
  let depth = 0;
  const put = (kind: TokenKind, part: string) => tokens.push({ kind, text: part });
  const newline = () => put("plain", `\n${"  ".repeat(depth)}`);
  lexemes.forEach((lexeme, at) => {
    const next = lexemes[at + 1];
    if (lexeme === "{" || lexeme === "[") {
      put("plain", lexeme);
      if (next === "}" || next === "]") return;
      depth += 1;
      newline();
    } else if (lexeme === "}" || lexeme === "]") {
      const before = lexemes[at - 1];
      if (before !== "{" && before !== "[") {
        depth -= 1;
        newline();
      }
      put("plain", lexeme);
    } else if (lexeme === ",") {
      put("plain", lexeme);
      newline();
    } else if (lexeme === ":") {
      put("plain", ": ");
    } else if (lexeme.startsWith('"')) {
      put(next === ":" ? "key" : "string", lexeme);
    } else {
      put(/^[tfn]/.test(lexeme) ? "word" : "number", lexeme);
    }
  });
  return tokens;
}

/** A template cut into text and `${variables}`. */
export function templateTokens(text: string): Token[] {
  return text
    .split(/(\$\{[^{}]*\})/)
    .filter((part) => part !== "")
    .map((part) => ({ kind: part.startsWith("${") && part.endsWith("}") ? "variable" : "plain", text: part }));
}

/** A JSON template (variables stand unquoted, so it is not JSON yet): indented, variables kept. */
export function templateJson(text: string): Token[] {
  let mark = "variable";
  while (text.includes(mark)) mark += "_";
  const variables: string[] = [];
  // A JSON string stands in for each variable. Quoted variables leave `""…""`: such a template is shown as it is.
  const asJson = text.replace(/\$\{[^{}]*\}/g, (variable) => `"${mark}${variables.push(variable) - 1}"`);
  const tokens = prettyJson(asJson);
  if (!tokens) return templateTokens(text);
  return tokens.map((token) => {
    if (!token.text.startsWith(`"${mark}`)) return token;
    const variable = variables[Number(token.text.slice(mark.length + 1, -1))];
    return variable === undefined ? token : { kind: "variable", text: variable };
  });
}
