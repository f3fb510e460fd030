//! aliyun-oss-php-sdk: JSON as options of `putObject`. It is read like every payload.

use super::fill::fill;
use super::notation::Notation;
use super::quote::php;
use super::wire::Wire;

const TEMPLATE: &str = include_str!("templates/php.txt");

const NOTATION: Notation = Notation { text: php, between: " => ", open: "[", close: "]", yes: "true" };

/// [`src/OSS/OssClient.php` OSS_CALLBACK, putObject; `Result/CallbackResult.php` takes 203 for a failure] Forced to objects,
/// because PHP takes texts of digits for numbers and a map of them for a list.
pub(super) fn write(wire: &Wire<'_>) -> String {
    let (mut variables, mut set_variables) = (String::new(), String::new());
    if !wire.variables.is_empty() {
        variables = format!("$variables = {};", NOTATION.map(&wire.variable_values(), "    "));
        set_variables = "OssClient::OSS_CALLBACK_VAR => json_encode($variables, JSON_FORCE_OBJECT),".to_owned();
    }
    let callback = NOTATION.map(&wire.fields, "    ");
    fill(TEMPLATE, &[("callback", callback), ("variables", variables), ("set_variables", set_variables)])
}
