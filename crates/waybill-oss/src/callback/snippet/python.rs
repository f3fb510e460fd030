//! aliyun-oss-python-sdk (oss2): headers that the program encodes itself. They are read like every payload.

use super::fill::fill;
use super::notation::Notation;
use super::quote::single;
use super::wire::Wire;

const TEMPLATE: &str = include_str!("templates/python.txt");

const NOTATION: Notation = Notation { text: single, between: ": ", open: "{", close: "}", yes: "True" };

/// [`examples/object_callback.py`; `oss2/utils.py` b64encode_as_string; `oss2/api.py` takes every 2xx for a success]
pub(super) fn write(wire: &Wire<'_>) -> String {
    let (mut variables, mut set_variables) = (String::new(), String::new());
    if !wire.variables.is_empty() {
        variables = format!("variables = {}", NOTATION.map(&wire.variable_values(), "    "));
        set_variables = "'x-oss-callback-var': encode(variables),".to_owned();
    }
    let callback = NOTATION.map(&wire.fields, "    ");
    fill(TEMPLATE, &[("callback", callback), ("variables", variables), ("set_variables", set_variables)])
}
