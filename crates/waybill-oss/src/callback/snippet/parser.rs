//! Reads values out of tokens. It takes what ten languages have in common and skips what it does not know.

use super::Language;
use super::tokens::{Kind, Token};
use super::value::{Args, Value};

/// Values within values beyond this are not looked at: nobody writes them by hand.
const DEEPEST: usize = 24;
/// What makes a map in Kotlin.
const KOTLIN_MAPS: [&str; 4] = ["mapOf", "hashMapOf", "mutableMapOf", "linkedMapOf"];

pub(super) struct Parser<'a, 't> {
    pub language: Language,
    pub tokens: &'t [Token<'a>],
    pub at: usize,
    depth: usize,
}

impl<'a, 't> Parser<'a, 't> {
    pub(super) fn new(language: Language, tokens: &'t [Token<'a>], at: usize) -> Parser<'a, 't> {
        Parser { language, tokens, at, depth: 0 }
    }

    fn kind(&self, ahead: usize) -> Option<&'t Kind<'a>> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    fn sign(&self, ahead: usize) -> &'a str {
        if let Some(Kind::Sign(sign)) = self.kind(ahead) { sign } else { "" }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = self.sign(0) == sign;
        self.at += usize::from(found);
        found
    }

    /// Whether the next token stands on the line of the one before it, or lines do not end values here.
    fn goes_on(&self) -> bool {
        let by_lines = matches!(self.language, Language::Python | Language::Ruby | Language::NodeJs);
        let line = |at: usize| self.tokens.get(at).map(|token| token.line);
        !by_lines || self.depth > 0 || self.at == 0 || line(self.at) == line(self.at - 1)
    }

    /// A value with everything that is joined to it.
    pub(super) fn value(&mut self) -> Value {
        if self.depth >= DEEPEST {
            self.at += 1;
            return Value::Other;
        }
        let mut all = vec![self.operand()];
        let beside =
            matches!(self.language, Language::C | Language::Cpp | Language::Ios | Language::Python | Language::Ruby);
        loop {
            let joined = self.sign(0) == "+" || (self.language == Language::Php && self.sign(0) == ".");
            let neighbours = beside
                && self.goes_on()
                && matches!(self.kind(0), Some(Kind::Text(_)))
                && matches!(all.last(), Some(Value::Text(_) | Value::Computed { .. }));
            if joined {
                self.at += 1;
            } else if !neighbours {
                break;
            }
            all.push(self.operand());
        }
        if all.len() == 1 { all.remove(0) } else { Value::Joined(all) }
    }

    fn operand(&mut self) -> Value {
        while matches!(self.sign(0), "@" | "&" | "*" | "-") || self.word("new") || self.word("await") {
            self.at += 1;
        }
        let value = match self.kind(0) {
            Some(Kind::Text(literal)) => {
                self.at += 1;
                match &literal.computed {
                    Some(piece) => Value::Computed { text: literal.text.clone(), piece: piece.clone() },
                    None => Value::Text(literal.text.clone()),
                }
            }
            Some(Kind::Number(number)) => {
                self.at += 1;
                Value::Number((*number).to_owned())
            }
            Some(Kind::Word(_)) => self.named(),
            Some(Kind::Sign("(")) => return self.parenthesis(),
            Some(Kind::Sign("{")) => self.bracketed("}"),
            Some(Kind::Sign("[")) => self.bracketed("]"),
            _ => {
                // What ends a value is left to whoever asked for it.
                let ends = matches!(self.sign(0), "," | ";" | ")" | "]" | "}" | "");
                self.at += usize::from(!ends);
                return Value::Other;
            }
        };
        self.chained(value)
    }

    fn word(&self, word: &str) -> bool {
        matches!(self.kind(0), Some(Kind::Word(found)) if *found == word)
    }

    /// A value in parentheses, or the type in front of one that it is cast to.
    fn parenthesis(&mut self) -> Value {
        let args = self.arguments();
        let cast = !matches!(self.language, Language::Python | Language::Ruby | Language::NodeJs);
        if cast && matches!(self.kind(0), Some(Kind::Word(_) | Kind::Text(_))) {
            return self.operand();
        }
        let value = args.plain.into_iter().next().unwrap_or(Value::Other);
        self.chained(value)
    }

    /// A name with its owners, and the call it may be.
    fn named(&mut self) -> Value {
        let path = self.path();
        let generic = if self.sign(0) == "<" { self.generics() } else { 0 };
        if self.sign(generic) == "(" {
            self.at += generic;
            let args = self.arguments();
            // PHP writes arrays as if they were calls, Kotlin maps.
            if self.language == Language::Php && path == ["array"] {
                return if args.named.is_empty() { Value::List(args.plain) } else { Value::Map(args.named) };
            }
            let kotlin = self.language == Language::Android;
            if kotlin && path.last().is_some_and(|name| KOTLIN_MAPS.contains(&name.as_str())) {
                return Value::Map(args.named.into_iter().chain(args.plain.into_iter().filter_map(pair)).collect());
            }
            return Value::Call { path, args };
        }
        Value::Name(path)
    }

    /// `a.b`, `a->b`, `A::B`; stops behind the last name.
    pub(super) fn path(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        while let Some(Kind::Word(word)) = self.kind(0) {
            path.push((*word).to_owned());
            self.at += 1;
            let linked = matches!(self.sign(0), "." | "->" | "::" | "?.");
            let concatenated = self.language == Language::Php && self.sign(0) == ".";
            if !linked || concatenated || !matches!(self.kind(1), Some(Kind::Word(_))) {
                break;
            }
            self.at += 1;
        }
        path
    }

    /// The length of `<String, String>` in front of a call; 0 if it is none.
    fn generics(&self) -> usize {
        let mut ahead = 1;
        while matches!(self.kind(ahead), Some(Kind::Word(_)))
            || matches!(self.sign(ahead), "," | "::" | "." | "<" | "?")
        {
            ahead += 1;
        }
        while self.sign(ahead) == ">" {
            ahead += 1;
        }
        if self.sign(ahead - 1) == ">" { ahead } else { 0 }
    }

    /// Methods that are called on a value: `"…".getBytes()`.
    fn chained(&mut self, mut value: Value) -> Value {
        let links: &[&str] = if self.language == Language::Php { &["->"] } else { &[".", "->", "?."] };
        while links.contains(&self.sign(0)) {
            let Some(Kind::Word(method)) = self.kind(1) else { break };
            self.at += 2;
            let args = if self.sign(0) == "(" { self.arguments() } else { Args::default() };
            value = Value::Chain { on: Box::new(value), method: (*method).to_owned(), args };
        }
        value
    }

    /// From `(` to behind its `)`.
    pub(super) fn arguments(&mut self) -> Args {
        self.at += 1;
        let (plain, named) = self.entries(")");
        Args { plain, named }
    }

    fn bracketed(&mut self, end: &str) -> Value {
        self.at += 1;
        let (plain, named) = self.entries(end);
        if named.is_empty() && !(end == "}" && plain.is_empty()) { Value::List(plain) } else { Value::Map(named) }
    }

    /// Values and `key: value`, `key => value` pairs up to a closing bracket. What is neither is stepped over.
    fn entries(&mut self, end: &str) -> (Vec<Value>, Vec<(String, Value)>) {
        let (mut plain, mut named) = (Vec::new(), Vec::new());
        self.depth += 1;
        while self.at < self.tokens.len() && !self.takes(end) {
            if self.takes(",") {
                continue;
            }
            if let Some((key, length)) = self.key() {
                self.at += length;
                named.push((key, self.value()));
                continue;
            }
            let before = self.at;
            let value = self.value();
            // A bracket of another kind or a semicolon: not ours, but everything before it was.
            if self.at == before {
                self.at += 1;
                continue;
            }
            if value != Value::Other {
                plain.push(value);
            }
        }
        self.depth -= 1;
        (plain, named)
    }

    /// The key in front of a value, with how many tokens it and its colon or arrow take.
    fn key(&self) -> Option<(String, usize)> {
        let skip = usize::from(matches!(self.sign(0), "@") || (self.sign(0) == ":" && self.sign(2) == "=>"));
        let mut length = skip + 1;
        let key = match self.kind(skip)? {
            Kind::Text(literal) => literal.text.clone(),
            Kind::Word(word) => {
                let mut last = *word;
                while matches!(self.sign(length), "::" | ".") {
                    let Some(Kind::Word(word)) = self.kind(length + 1) else { break };
                    last = word;
                    length += 2;
                }
                last.to_owned()
            }
            _ => return None,
        };
        // Kotlin: `"name" to value`.
        let to = self.language == Language::Android && matches!(self.kind(length), Some(Kind::Word("to")));
        (to || matches!(self.sign(length), ":" | "=>")).then_some((key, length + 1))
    }

    /// Steps over a type up to the `=` behind it, as in Kotlin's `name: Map<String, String> = value`.
    pub(super) fn skips_type(&mut self) -> bool {
        let begins = self.at;
        while matches!(self.kind(0), Some(Kind::Word(_))) || matches!(self.sign(0), ":" | "." | "," | "<" | ">" | "?") {
            self.at += 1;
        }
        let found = self.sign(0) == "=" && self.at > begins;
        if !found {
            self.at = begins;
        }
        found
    }
}

/// Kotlin's `Pair(name, value)`.
fn pair(value: Value) -> Option<(String, Value)> {
    let Value::Call { path, args } = value else { return None };
    match (path.last().map(String::as_str), <[Value; 2]>::try_from(args.plain)) {
        (Some("Pair"), Ok([Value::Text(name), value])) => Some((name, value)),
        _ => None,
    }
}
