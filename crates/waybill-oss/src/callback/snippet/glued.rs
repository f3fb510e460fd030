//! Builders that join their JSON by hand and escape nothing: what they are given must be escaped already.
//! [Java `OSSUtils.java` jsonizeCallback; C# `CallbackHeaderBuilder.cs`; C++ `ObjectCallbackBuilder.cc`]

use super::draft::Draft;
use super::source::Source;
use super::tokens::Kind;
use super::value::Value;
use super::{Trap, mend};

/// The function that escapes texts in the Java programs we write.
pub(super) const ESCAPING: &str = "json";

/// A field that such a builder is given.
pub(super) fn field(source: &Source<'_>, draft: &mut Draft, name: &str, value: &Value) {
    match as_meant(source, value) {
        (value, None) => draft.say(source, name, &value),
        (_, Some(text)) => {
            draft.note(Trap::EscapedQuotes, name);
            draft.field(name, text.into());
        }
    }
}

/// A variable that such a builder is given.
pub(super) fn variable(source: &Source<'_>, draft: &mut Draft, args: &[Value]) {
    let [name, value] = args else { return };
    let Value::Text(name) = source.resolved(&unwrapped(source, name)) else { return };
    match as_meant(source, value) {
        (value, None) => draft.say_variable(source, &name, &value),
        (_, Some(text)) => {
            draft.note(Trap::EscapedQuotes, &name);
            draft.variable(&name, &text.into());
        }
    }
}

/// The value itself, or the text that its backslashes stand for.
fn as_meant(source: &Source<'_>, value: &Value) -> (Value, Option<String>) {
    let bare = unwrapped(source, value);
    if bare != *value {
        return (bare, None);
    }
    let unescaped = if let Value::Text(text) = source.resolved(value) { mend::unescaped(&text) } else { None };
    (bare, unescaped)
}

/// What our own `json(…)` is called with.
fn unwrapped(source: &Source<'_>, value: &Value) -> Value {
    match source.resolved(value) {
        Value::Call { path, mut args } if path.last().is_some_and(|name| name == ESCAPING) && args.plain.len() == 1 => {
            args.plain.remove(0)
        }
        _ => value.clone(),
    }
}

/// The last name of a value: `JSON` of `Callback.CalbackBodyType.JSON`.
pub(super) fn constant(value: &Value) -> &str {
    if let Value::Name(path) = value { path.last().map_or("", String::as_str) } else { "" }
}

/// Programs that read the answer into an array once: a longer one is cut off.
pub(super) fn read_limit(source: &Source<'_>, draft: &mut Draft) {
    if !source.called.iter().any(|called| called.name().eq_ignore_ascii_case("read")) {
        return;
    }
    for window in source.tokens.windows(8) {
        let kind = |at: usize| &window[at].kind;
        if *kind(0) != Kind::Word("new") || *kind(1) != Kind::Word("byte") || *kind(2) != Kind::Sign("[") {
            continue;
        }
        let size = window[3..].iter().map_while(|token| match token.kind {
            Kind::Number(number) => Some(number.parse::<u64>().unwrap_or(1)),
            Kind::Sign("*") => Some(1),
            _ => None,
        });
        let size = size.fold(1, u64::saturating_mul);
        if size > 1 {
            draft.note(Trap::ReadLimit, size.to_string());
        }
    }
}
