//! Which callback profile a command is about: one in a file, one of the data folder, or one that its options describe.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};
use waybill_engine::view::{BodyKind, CallbackProfileForm, Variable};

use super::text_of;
use crate::callback_options::{CallbackOptions, wants_sni};
use crate::history;

#[derive(Debug, Args)]
#[command(next_help_heading = "Profile")]
pub(crate) struct ProfileOptions {
    /// A profile in JSON, as `import` prints it, or the JSON of an x-oss-callback header (its variables may stand beside,
    /// as "x:name"); - reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["named", "callback_url"])]
    profile: Option<PathBuf>,
    /// A profile of the data folder, by its name.
    #[arg(long, value_name = "NAME", conflicts_with = "callback_url")]
    named: Option<String>,
    #[command(flatten)]
    described: CallbackOptions,
}

impl ProfileOptions {
    pub(crate) async fn form(&self, data_dir: PathBuf) -> Result<CallbackProfileForm, String> {
        match (&self.profile, &self.named, self.described.form()) {
            (Some(path), _, _) => {
                let text = text_of(path, "a callback profile")?;
                read(&text)
                    .map_err(|why| if path == Path::new("-") { why } else { format!("{}: {why}", path.display()) })
            }
            (None, Some(name), _) => {
                let records = history::records(data_dir).await?;
                records.callback_profile_named(name).map(|profile| profile.form).map_err(|error| error.to_string())
            }
            (None, None, Some(form)) => Ok(form),
            (None, None, None) => {
                Err("say which callback: --profile FILE (- for standard input), --named NAME or --callback-url URL"
                    .into())
            }
        }
    }
}

/// A profile as it was written: nothing is mended, so that what is wrong with it can be said.
fn read(text: &str) -> Result<CallbackProfileForm, String> {
    let text = text.trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(text)
        .map_err(|error| format!("this is not JSON ({error}); programs, headers and Base64 are read by `import`"))?;
    let Value::Object(object) = value else { return Err("a callback profile is a JSON object".into()) };
    match object.keys().any(|name| name.starts_with("callback")) {
        true => of_header(object),
        false => of_profile(object),
    }
}

/// What is not said stays empty; SNI follows from the addresses.
fn of_profile(object: Map<String, Value>) -> Result<CallbackProfileForm, String> {
    let mut whole = match serde_json::to_value(CallbackProfileForm::default()) {
        Ok(Value::Object(whole)) => whole,
        _ => Map::new(),
    };
    if !object.contains_key("urls") {
        return Err("this is no callback profile: neither \"urls\" nor \"callbackUrl\" is in it".into());
    }
    let says_sni = object.contains_key("sni");
    for (name, value) in object {
        match whole.get_mut(&name) {
            Some(place) => *place = value,
            None => return Err(format!("a callback profile has no \"{name}\"")),
        }
    }
    let mut form: CallbackProfileForm = serde_json::from_value(whole.into()).map_err(|error| error.to_string())?;
    if !says_sni {
        form.sni = wants_sni(&form.urls);
    }
    Ok(form)
}

/// The fields of `x-oss-callback` [API page Callback].
fn of_header(object: Map<String, Value>) -> Result<CallbackProfileForm, String> {
    let mut form = CallbackProfileForm::default();
    for (name, value) in object {
        let text = || value.as_str().map(str::to_owned).ok_or_else(|| format!("\"{name}\" must be a text"));
        match name.as_str() {
            "callbackUrl" => form.urls = text()?.split(';').map(|url| url.trim().to_owned()).collect(),
            "callbackHost" => form.host = text()?,
            "callbackBody" => form.body = text()?,
            "callbackBodyType" => {
                form.body_type = match text()?.as_str() {
                    "application/json" => BodyKind::Json,
                    "application/x-www-form-urlencoded" | "" => BodyKind::Form,
                    other => return Err(format!("OSS knows no callbackBodyType \"{other}\"")),
                }
            }
            "callbackSNI" => form.sni = value.as_bool().ok_or("\"callbackSNI\" must be true or false")?,
            "callbackPolicy" => return Err("a callback that is stored with the bucket cannot be looked at here".into()),
            "additionalHeaders" => {
                let headers = value.as_object().ok_or("\"additionalHeaders\" must be an object of texts")?;
                let row = |(name, value): (&String, &Value)| {
                    let value = value.as_str().ok_or_else(|| format!("the header \"{name}\" must be a text"))?;
                    Ok(Variable { name: name.clone(), value: value.to_owned() })
                };
                form.headers = headers.iter().map(row).collect::<Result<_, String>>()?;
            }
            _ if name.starts_with("x:") => form.variables.push(Variable { name: name.clone(), value: text()? }),
            _ => return Err(format!("x-oss-callback has no \"{name}\"")),
        }
    }
    Ok(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_may_leave_out_what_is_empty_and_its_sni_follows_from_the_addresses() {
        let form = read(r#"{"urls": ["https://a.example.com/cb"], "body": "a=1"}"#).expect("a profile");
        assert_eq!((form.sni, form.body.as_str(), form.body_type), (true, "a=1", BodyKind::Form));
        assert!(!read(r#"{"urls": ["https://a.example.com/cb"], "sni": false}"#).expect("a profile").sni);
        let again = serde_json::to_string(&form).expect("JSON");
        assert_eq!(read(&again), Ok(form));
    }

    #[test]
    fn the_json_of_the_header_is_read_as_it_was_written() {
        let form = read(
            r#"{"callbackUrl": "http://a.example.com/1; http://b.example.com/2", "callbackHost": "h", "callbackBody": "{\"o\":\"${object}\"}",
                "callbackBodyType": "application/json", "callbackSNI": true, "additionalHeaders": {"X-A": "1"}, "x:Job": "7"}"#,
        )
        .expect("a profile");
        assert_eq!(form.urls, ["http://a.example.com/1", "http://b.example.com/2"]);
        assert_eq!((form.host.as_str(), form.body.as_str(), form.sni), ("h", r#"{"o":"${object}"}"#, true));
        assert_eq!((form.headers[0].value.as_str(), form.variables[0].name.as_str()), ("1", "x:Job"));
    }

    #[test]
    fn what_is_no_profile_is_named() {
        for (text, part) in [
            ("{", "not JSON"),
            ("[]", "JSON object"),
            ("{}", "neither \"urls\""),
            (r#"{"urls": [], "boby": ""}"#, "no \"boby\""),
            (r#"{"urls": "http://a"}"#, "invalid type"),
            (r#"{"callbackUrl": 1}"#, "\"callbackUrl\" must be a text"),
            (r#"{"callbackUrl": "", "callbackBodyTyp": ""}"#, "no \"callbackBodyTyp\""),
            (r#"{"callbackBodyType": "text/plain"}"#, "text/plain"),
            (r#"{"callbackUrl": "", "callbackSNI": "true"}"#, "true or false"),
        ] {
            let why = read(text).expect_err(text);
            assert!(why.contains(part), "{text}: {why}");
        }
    }
}
