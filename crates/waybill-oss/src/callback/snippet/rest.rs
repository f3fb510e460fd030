//! The head of the request as the API has it.

use super::fill::fill;
use super::wire::{Wire, json_line};

const TEMPLATE: &str = include_str!("templates/rest.txt");

/// [API pages PutObject and Callback]
pub(super) fn write(wire: &Wire<'_>) -> String {
    let variables = wire.callback_var.as_deref().map_or(String::new(), |value| format!("x-oss-callback-var: {value}"));
    let values = [
        ("json", json_line(&wire.fields)),
        ("variables_json", json_line(&wire.variable_values())),
        ("callback", wire.callback.clone()),
        ("variables", variables),
    ];
    let template =
        if wire.variables.is_empty() { TEMPLATE.replace("# §variables_json§\n", "") } else { TEMPLATE.to_owned() };
    fill(&template, &values)
}
