//! A callback while it is read: what was found, and what had to be mended.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::source::Source;
use super::value::Value;
use super::{Imported, Language, Note, Trap, mend};
use crate::callback::spec::{BodyType, CallbackSpec};
use crate::error::Error;

#[derive(Debug, Default)]
pub(super) struct Draft {
    url: Option<String>,
    query: Vec<(String, String)>,
    host: Option<String>,
    body: Option<String>,
    body_type: Option<String>,
    sni: bool,
    headers: BTreeMap<String, String>,
    policy: Option<String>,
    variables: Vec<(String, String)>,
    found: bool,
    notes: Vec<Note>,
}

/// A value that stands in a program, brought down to what JSON has. What is known only when it runs is left out.
pub(super) fn plain(source: &Source<'_>, value: &Value) -> Result<Json, String> {
    match source.resolved(value) {
        Value::Text(text) => Ok(Json::String(text)),
        Value::Computed { text, .. } => Ok(Json::String(text)),
        Value::Number(number) => Ok(number.parse::<i64>().map_or(Json::String(number), Json::from)),
        Value::Name(path) => match path.last().map(|word| word.to_ascii_lowercase()).as_deref() {
            Some("true" | "yes") => Ok(Json::Bool(true)),
            Some("false" | "no") => Ok(Json::Bool(false)),
            Some("null" | "nil" | "none" | "nullptr") => Ok(Json::Null),
            _ => Err(path.join(".")),
        },
        Value::Map(all) => Ok(Json::Object(
            all.iter().filter_map(|(key, value)| Some((key.clone(), plain(source, value).ok()?))).collect(),
        )),
        other => Err(other.shown()),
    }
}

impl Draft {
    pub(super) fn found(&self) -> bool {
        self.found
    }

    pub(super) fn has_variables(&self) -> bool {
        !self.variables.is_empty()
    }

    pub(super) fn body(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }

    pub(super) fn note(&mut self, trap: Trap, about: impl Into<String>) {
        let note = Note { trap, about: about.into() };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// One field of the callback from source text. `name` is what the JSON calls it.
    pub(super) fn say(&mut self, source: &Source<'_>, name: &str, value: &Value) {
        if let Value::Computed { piece, .. } = source.resolved(value) {
            self.note(Trap::NotLiteral, piece);
        }
        match plain(source, value) {
            Ok(json) => self.field(name, json),
            Err(about) => {
                self.found = true;
                self.note(Trap::NotLiteral, about);
            }
        }
    }

    /// One field of the callback's JSON.
    pub(super) fn field(&mut self, name: &str, value: Json) {
        let text = match &value {
            Json::String(text) => text.clone(),
            Json::Null => return,
            other => other.to_string(),
        };
        self.found = true;
        match name {
            "callbackUrl" => self.url = Some(text),
            "callbackHost" => self.host = Some(text),
            "callbackBody" => self.body = Some(text),
            "callbackBodyType" => self.body_type = Some(text),
            "callbackPolicy" => self.policy = Some(text),
            "callbackSNI" => {
                if !value.is_boolean() {
                    self.note(Trap::SwitchAsText, text.clone());
                }
                self.sni = matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "1");
            }
            "additionalHeaders" => {
                if let Json::Object(headers) = value {
                    let lower = |(name, value): (String, Json)| (name.trim().to_ascii_lowercase(), as_text(&value));
                    self.headers.extend(headers.into_iter().map(lower));
                }
            }
            _ => {}
        }
    }

    /// The callback's JSON.
    pub(super) fn object(&mut self, object: &serde_json::Map<String, Json>) {
        for (name, value) in object {
            self.field(name, value.clone());
        }
    }

    /// A pair of the query that is kept apart from the address.
    pub(super) fn query(&mut self, name: &str, value: &Json) {
        self.query.push((name.to_owned(), as_text(value)));
    }

    /// One of the program's own variables. The last of a name counts.
    pub(super) fn variable(&mut self, name: &str, value: &Json) {
        self.found = true;
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), as_text(value)));
    }

    /// One of the variables from source text.
    pub(super) fn say_variable(&mut self, source: &Source<'_>, name: &str, value: &Value) {
        match plain(source, value) {
            Ok(json) => self.variable(name, &json),
            Err(about) => {
                self.variable(name, &Json::Null);
                self.note(Trap::NotLiteral, about);
            }
        }
    }

    /// The finished callback, or why there is none.
    pub(super) fn finish(mut self, language: Language) -> Result<Imported, Error> {
        if !self.found {
            return Err(Error::Invalid(
                "No callback was found in this text: paste a program that uses an OSS SDK, the headers, their JSON or Base64."
                    .to_owned(),
            ));
        }
        let known = self.policy.is_some() || self.notes.iter().any(|note| note.trap == Trap::NotLiteral);
        let url = self.url.take().unwrap_or_default();
        let mut urls: Vec<String> =
            url.split(';').map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned).collect();
        if urls.is_empty() && !known {
            self.note(Trap::EmptyUrl, "");
        }
        let mut query = Vec::new();
        if let Some((bare, pairs)) = mend::query_apart(&urls) {
            (urls, query) = (bare, pairs);
        }
        query.append(&mut self.query);
        let body_type = match self.body_type.as_deref().map(str::to_ascii_lowercase) {
            Some(said) if said.contains("json") => BodyType::Json,
            _ => BodyType::Form,
        };
        let mut body = self.body.take().unwrap_or_default();
        if let Some(mended) = mend::escaped_quotes(&body, body_type) {
            body = mended;
            self.note(Trap::EscapedQuotes, "callbackBody");
        }
        let mut variables = BTreeMap::new();
        for (name, value) in std::mem::take(&mut self.variables) {
            let mended = mend::variable_name(&name);
            if mended.prefixed {
                self.note(Trap::PrefixAdded, &mended.name);
            }
            if mended.lowered {
                self.note(Trap::LowerCased, &mended.name);
                body = body.replace(&format!("${{{}}}", mended.named), &format!("${{{}}}", mended.name));
            }
            variables.insert(mended.name, value);
        }
        for name in variables.keys().filter(|_| self.policy.is_none()) {
            if !body.contains(&format!("${{{name}}}")) {
                self.notes.push(Note { trap: Trap::UnusedVariable, about: name.clone() });
            }
        }
        let host = self.host.map(|host| host.trim().to_owned()).filter(|host| !host.is_empty());
        let (additional_headers, policy, sni) = (self.headers, self.policy, self.sni);
        let spec = CallbackSpec { urls, query, host, body, body_type, sni, additional_headers, policy, variables };
        Ok(Imported { language, spec, notes: self.notes })
    }
}

fn as_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}
