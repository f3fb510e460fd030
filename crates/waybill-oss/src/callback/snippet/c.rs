//! aliyun-oss-c-sdk: JSON that the program encodes itself.

use super::Trap;
use super::draft::Draft;
use super::fill::fill;
use super::quote::octal;
use super::source::Source;
use super::tokens::Kind;
use super::value::Value;
use super::wire::{Wire, ascii, json_pieces};

const TEMPLATE: &str = include_str!("templates/c.txt");

/// The most that OSS takes, and the end of the text.
const NEEDED: u64 = 5 * 1024 + 1;

/// The JSON is found where it stands; here is looked for the array that its Base64 goes to.
pub(super) fn read(source: &Source<'_>, draft: &mut Draft) {
    for window in source.tokens.windows(5) {
        let [char, name, open, size, close] = [0, 1, 2, 3, 4].map(|at| &window[at].kind);
        let (Kind::Word("char"), Kind::Word(name), Kind::Sign("["), Kind::Number(size), Kind::Sign("]")) =
            (char, name, open, size, close)
        else {
            continue;
        };
        let filled = Value::Name(vec![(*name).to_owned()]);
        let encoded = source.calls("aos_base64_encode").any(|called| called.args.plain.contains(&filled));
        if encoded && size.parse::<u64>().is_ok_and(|size| size < NEEDED) {
            draft.note(Trap::SmallBuffer, format!("{name}[{size}]"));
        }
    }
}

/// [`oss_define.h` OSS_CALLBACK; `oss_c_sdk_sample/oss_callback_sample.c`; `oss_api.h` oss_do_put_object_from_file]
pub(super) fn write(wire: &Wire<'_>) -> String {
    let text = |json: Vec<String>| json.iter().map(|piece| octal(&ascii(piece))).collect::<Vec<_>>().join("\n");
    let (mut variables, mut set_variables) = (String::new(), String::new());
    if !wire.variables.is_empty() {
        let json = text(json_pieces(&wire.variable_values())).replace('\n', "\n    ");
        variables = format!("static const char *callback_var =\n    {json};");
        set_variables = "apr_table_set(headers, OSS_CALLBACK_VAR, base64_of(pool, callback_var));".to_owned();
    }
    let callback = text(json_pieces(&wire.fields));
    fill(TEMPLATE, &[("callback", callback), ("variables", variables), ("set_variables", set_variables)])
}
