//! The values that stand in source text, whatever the language: texts, maps, names, calls.

/// A value as it is written. What only the running program knows stays a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    /// A text with a piece that the program fills in.
    Computed {
        text: String,
        piece: String,
    },
    Number(String),
    /// A name with what it belongs to, the nearest last.
    Name(Vec<String>),
    Call {
        path: Vec<String>,
        args: Args,
    },
    /// What a method is called on: `json.dumps(x).strip()`.
    Chain {
        on: Box<Value>,
        method: String,
        args: Args,
    },
    Map(Vec<(String, Value)>),
    List(Vec<Value>),
    /// Joined by `+`, by PHP's `.`, or by standing beside each other.
    Joined(Vec<Value>),
    /// Nothing that could be read.
    Other,
}

/// What stands between the parentheses of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Args {
    pub plain: Vec<Value>,
    pub named: Vec<(String, Value)>,
}

impl Args {
    /// All of them, whether they have names or not.
    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        self.plain.iter().chain(self.named.iter().map(|(_, value)| value))
    }
}

impl Value {
    /// How a person would point at it.
    pub(super) fn shown(&self) -> String {
        match self {
            Value::Text(text) | Value::Number(text) => text.clone(),
            Value::Computed { piece, .. } => piece.clone(),
            Value::Name(path) => path.join("."),
            Value::Call { path, .. } => format!("{}(…)", path.join(".")),
            Value::Chain { on, method, .. } => format!("{}.{method}(…)", on.shown()),
            Value::Joined(all) => all.iter().map(Value::shown).collect::<Vec<_>>().join(" + "),
            Value::Map(_) => "{…}".to_owned(),
            Value::List(_) => "[…]".to_owned(),
            Value::Other => "…".to_owned(),
        }
    }
}
