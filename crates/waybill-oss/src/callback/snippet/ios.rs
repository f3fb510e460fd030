//! aliyun-oss-ios-sdk: dictionaries, `callbackParam` and `callbackVar`.

use super::draft::Draft;
use super::fill::fill;
use super::notation::Notation;
use super::quote::octal;
use super::source::Source;
use super::value::Value;
use super::wire::Wire;

const TEMPLATE: &str = include_str!("templates/ios.txt");

const NOTATION: Notation =
    Notation { text: |text| format!("@{}", octal(text)), between: ": ", open: "@{", close: "}", yes: "@YES" };

pub(super) fn read(source: &Source<'_>, draft: &mut Draft) {
    if let Some(Value::Map(pairs)) =
        source.assigned_to("callbackParam").map(|assigned| source.resolved(&assigned.value))
    {
        pairs.iter().for_each(|(name, value)| draft.say(source, name, value));
    }
    if let Some(Value::Map(pairs)) = source.assigned_to("callbackVar").map(|assigned| source.resolved(&assigned.value))
    {
        pairs.iter().for_each(|(name, value)| draft.say_variable(source, name, value));
    }
}

/// Dictionaries become real JSON, switches and maps included. [`OSSModel.h` OSSPutObjectRequest; `OSSModel.m` base64JsonString;
/// `OSSNetworking.m` takes 203 for a failure]
pub(super) fn write(wire: &Wire<'_>) -> String {
    let variables = if wire.variables.is_empty() {
        String::new()
    } else {
        format!("request.callbackVar = {};", NOTATION.map(&wire.variable_values(), "    "))
    };
    fill(TEMPLATE, &[("callback", NOTATION.map(&wire.fields, "    ")), ("variables", variables)])
}
