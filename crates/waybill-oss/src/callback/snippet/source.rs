//! What a piece of source text says: which names get which values, and which functions are called with what.

use std::cell::Cell;

use super::Language;
use super::parser::Parser;
use super::tokens::{self, Kind, Token};
use super::value::{Args, Value};

/// No value that a person writes is longer, and a stray bracket costs no more than this.
const LONGEST: usize = 2_000;
/// Names that stand for names that stand for names.
const DEEPEST: usize = 24;
/// How many tokens are looked at in all, values within values counted again, and how much is looked through for names. The
/// longest of the published pages needs a tenth of it; what is made to be slow is given up.
const PATIENCE: usize = 100_000;
const SEARCHES: usize = 2_000_000;

/// `path = value`, or `path[item] = value`.
#[derive(Debug)]
pub(super) struct Assigned {
    pub path: Vec<String>,
    pub item: Option<String>,
    pub value: Value,
    pub at: usize,
}

/// `path(args)`, from its first token to behind its last.
#[derive(Debug)]
pub(super) struct Called {
    pub path: Vec<String>,
    /// The word in front of it, such as the type in C++'s `Type name(args)`.
    pub before: Option<String>,
    pub args: Args,
    pub at: usize,
    pub end: usize,
}

impl Called {
    pub(super) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

#[derive(Debug)]
pub(super) struct Source<'a> {
    pub tokens: Vec<Token<'a>>,
    pub assigned: Vec<Assigned>,
    pub called: Vec<Called>,
    searches: Cell<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn read(language: Language, text: &'a str) -> Source<'a> {
        let tokens = tokens::cut(language, text);
        let (mut assigned, mut called, mut spent) = (Vec::new(), Vec::new(), 0);
        for at in 0..tokens.len() {
            if spent > PATIENCE {
                break;
            }
            if !matches!(tokens[at].kind, Kind::Word(_)) || goes_on(&tokens, at, language) {
                continue;
            }
            let mut parser = Parser::new(language, &tokens[..tokens.len().min(at + LONGEST)], at);
            let path = parser.path();
            let sign =
                |at: usize| if let Some(Token { kind: Kind::Sign(sign), .. }) = tokens.get(at) { *sign } else { "" };
            let behind = parser.at;
            let key = behind + 1 + usize::from(sign(behind + 1) == "@");
            let typed = language == Language::Android && sign(behind) == ":" && parser.skips_type();
            if typed || matches!(sign(behind), "=" | "+=") {
                parser.at += 1;
                assigned.push(Assigned { path, item: None, value: parser.value(), at });
            } else if sign(behind) == "(" {
                let before = at.checked_sub(1).and_then(|at| match tokens[at].kind {
                    Kind::Word(word) => Some(word.to_owned()),
                    _ => None,
                });
                let args = parser.arguments();
                called.push(Called { path, before, args, at, end: parser.at });
            } else if let (true, Some(Token { kind: Kind::Text(item), .. }), true) =
                (sign(behind) == "[", tokens.get(key), sign(key + 1) == "]" && sign(key + 2) == "=")
            {
                parser.at = key + 3;
                assigned.push(Assigned { path, item: Some(item.text.clone()), value: parser.value(), at });
            }
            spent += parser.at - at;
        }
        Source { tokens, assigned, called, searches: Cell::new(SEARCHES) }
    }

    /// Every call of a function or method of this name.
    pub(super) fn calls<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Called> {
        self.called.iter().filter(move |called| called.name() == name)
    }

    /// Every value that is assigned to a property of this name.
    pub(super) fn all_assigned_to<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Assigned> {
        self.assigned
            .iter()
            .filter(move |assigned| assigned.item.is_none() && assigned.path.last().is_some_and(|last| last == name))
    }

    /// What is assigned to a name or a property of this name, whatever owns it.
    pub(super) fn assigned_to<'s>(&'s self, name: &'s str) -> Option<&'s Assigned> {
        self.assigned
            .iter()
            .find(|assigned| assigned.item.is_none() && assigned.path.last().is_some_and(|last| last == name))
    }

    /// The value behind a name, where the program says it; the value itself otherwise.
    pub(super) fn resolved(&self, value: &Value) -> Value {
        self.resolved_at(value, 0)
    }

    fn resolved_at(&self, value: &Value, depth: usize) -> Value {
        let searched = 1 + if let Value::Name(_) = value { self.assigned.len() + self.called.len() } else { 0 };
        let left = self.searches.get().saturating_sub(searched);
        if depth >= DEEPEST || left == 0 {
            return value.clone();
        }
        self.searches.set(left);
        let again = |value: &Value| self.resolved_at(value, depth + 1);
        let pairs = |pairs: &[(String, Value)]| pairs.iter().map(|(key, value)| (key.clone(), again(value))).collect();
        match value {
            Value::Name(path) => self.named(path, depth),
            Value::Joined(all) => {
                let mut whole = String::new();
                for part in all {
                    match again(part) {
                        Value::Text(text) | Value::Number(text) => whole.push_str(&text),
                        Value::Computed { text, piece } => return Value::Computed { text, piece },
                        _ => return value.clone(),
                    }
                    if whole.len() > super::LONGEST {
                        return value.clone();
                    }
                }
                Value::Text(whole)
            }
            Value::Map(all) => Value::Map(pairs(all)),
            // Calls that give back the text they are made on.
            Value::Chain { on, method, .. } if KEEPING.contains(&method.as_str()) => again(on),
            other => other.clone(),
        }
    }

    /// What a name stands for: what is assigned to it, with the items that are set later on.
    fn named(&self, path: &[String], depth: usize) -> Value {
        let itself = |value: &Value| matches!(value, Value::Name(name) if name == path);
        let whole = self.assigned.iter().rfind(|assigned| {
            assigned.item.is_none() && assigned.path.last() == path.last() && !itself(&assigned.value)
        });
        let mut items: Vec<(String, Value)> = Vec::new();
        for assigned in self.assigned.iter().filter(|assigned| assigned.value != Value::Other) {
            match &assigned.item {
                Some(item) if assigned.path == path => items.push((item.clone(), assigned.value.clone())),
                None if assigned.path.split_last().is_some_and(|(_, owner)| owner == path) => {
                    items.push((assigned.path.last().cloned().unwrap_or_default(), assigned.value.clone()));
                }
                _ => {}
            }
        }
        for called in
            self.calls("put").filter(|called| called.path.split_last().is_some_and(|(_, owner)| owner == path))
        {
            if let [Value::Text(key), value] = &called.args.plain[..] {
                items.push((key.clone(), value.clone()));
            }
        }
        let whole = whole.map(|assigned| self.resolved_at(&assigned.value, depth + 1));
        if items.is_empty() {
            return whole.unwrap_or_else(|| Value::Name(path.to_vec()));
        }
        let items = items.into_iter().map(|(key, value)| (key, self.resolved_at(&value, depth + 1)));
        let mut all = if let Some(Value::Map(all)) = whole { all } else { Vec::new() };
        all.extend(items);
        Value::Map(all)
    }
}

/// Methods whose result is the text they are called on, in other clothes.
const KEEPING: [&str; 14] = [
    "getBytes",
    "encode",
    "strip",
    "trim",
    "to_s",
    "toString",
    "freeze",
    "c_str",
    "UTF8String",
    "intern",
    "copy",
    "dup",
    "trimIndent",
    "trimMargin",
];

/// Whether the word belongs to the name in front of it.
fn goes_on(tokens: &[Token<'_>], at: usize, language: Language) -> bool {
    let before = |back: usize| at.checked_sub(back).map(|at| &tokens[at].kind);
    let linked = matches!(before(1), Some(Kind::Sign("." | "->" | "::" | "?.")));
    let concatenated = language == Language::Php && before(1) == Some(&Kind::Sign("."));
    linked && !concatenated && matches!(before(2), Some(Kind::Word(_)))
}
