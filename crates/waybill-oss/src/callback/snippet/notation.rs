//! Maps as each language writes them down.

use serde_json::Value;

pub(super) struct Notation {
    pub text: fn(&str) -> String,
    pub between: &'static str,
    pub open: &'static str,
    pub close: &'static str,
    pub yes: &'static str,
}

impl Notation {
    /// A map, one pair a line, two or four blanks deep.
    pub(super) fn map(&self, pairs: &[(String, Value)], indent: &str) -> String {
        let mut out = format!("{}\n", self.open);
        for (name, value) in pairs {
            let value = self.value(value, indent).replace('\n', &format!("\n{indent}"));
            out.push_str(&format!("{indent}{}{}{value},\n", (self.text)(name), self.between));
        }
        out + self.close
    }

    fn value(&self, value: &Value, indent: &str) -> String {
        match value {
            Value::String(text) => (self.text)(text),
            Value::Object(object) => {
                let pairs: Vec<_> = object.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
                self.map(&pairs, indent)
            }
            // The only switch there is, SNI, is not written when it is off.
            _ => self.yes.to_owned(),
        }
    }
}
