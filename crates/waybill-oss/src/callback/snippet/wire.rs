//! What an exported program must put on the wire, for the languages to write down.

use serde_json::Value;

use crate::callback::spec::CallbackSpec;
use crate::error::Error;

/// The fields in the order in which people read them.
const ORDER: [&str; 7] = [
    "callbackUrl",
    "callbackHost",
    "callbackBody",
    "callbackBodyType",
    "callbackSNI",
    "additionalHeaders",
    "callbackPolicy",
];

#[derive(Debug)]
pub(super) struct Wire<'s> {
    pub spec: &'s CallbackSpec,
    /// The fields of the callback's JSON.
    pub fields: Vec<(String, Value)>,
    /// The variables with their `x:`.
    pub variables: Vec<(String, String)>,
    /// The two headers as they are sent.
    pub callback: String,
    pub callback_var: Option<String>,
}

impl<'s> Wire<'s> {
    pub(super) fn of(spec: &'s CallbackSpec) -> Result<Wire<'s>, Error> {
        let encoded = spec.encode()?;
        let mut object = spec.object()?;
        let fields = ORDER.iter().filter_map(|name| Some(((*name).to_owned(), object.remove(*name)?))).collect();
        let variables = spec.checked_variables()?.into_iter().collect();
        Ok(Wire { spec, fields, variables, callback: encoded.callback, callback_var: encoded.callback_var })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    /// A field that is a text; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).and_then(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(super) fn is_json(&self) -> bool {
        self.text("callbackBodyType").contains("json")
    }

    /// Every text in the callback and its variables.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().filter_map(|(_, value)| value.as_str());
        fields.chain(self.variables.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]))
    }

    /// The variables as values of JSON.
    pub(super) fn variable_values(&self) -> Vec<(String, Value)> {
        self.variables.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect()
    }
}

/// Pairs as the pieces of one JSON object, a field each, for the languages that hold it as a text.
pub(super) fn json_pieces(pairs: &[(String, Value)]) -> Vec<String> {
    let last = pairs.len().saturating_sub(1);
    let field = |(at, (name, value)): (usize, &(String, Value))| {
        let name = Value::from(name.as_str());
        format!("{name}:{value}{}", if at == last { "" } else { "," })
    };
    let fields = pairs.iter().enumerate().map(field);
    [("{".to_owned())].into_iter().chain(fields).chain(["}".to_owned()]).collect()
}

/// JSON on one line.
pub(super) fn json_line(pairs: &[(String, Value)]) -> String {
    json_pieces(pairs).concat()
}

/// JSON, or a literal of Java, without a letter that a compiler's code page could change.
pub(super) fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}
