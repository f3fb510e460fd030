//! `--callback-url` and its kin: a callback that a command line describes.

use clap::{Args, ValueEnum};
use waybill_engine::view::{BodyKind, CallbackProfileForm, Variable};

/// What OSS is asked to POST when nothing else is said.
const DEFAULT_FORM_BODY: &str = "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&mimeType=${mimeType}";
const DEFAULT_JSON_BODY: &str =
    r#"{"bucket":${bucket},"object":${object},"etag":${etag},"size":${size},"mimeType":${mimeType}}"#;

#[derive(Debug, Args)]
pub(crate) struct CallbackOptions {
    /// Your application server; up to five, tried in order.
    #[arg(long, value_name = "URL")]
    callback_url: Vec<String>,
    /// What OSS sends to it, with ${variables}.
    #[arg(long, value_name = "TEMPLATE", requires = "callback_url")]
    callback_body: Option<String>,
    /// How that is encoded.
    #[arg(long, value_name = "TYPE", value_enum, default_value_t = BodyType::Form, requires = "callback_url")]
    callback_body_type: BodyType,
    /// A variable of your own for the body, for instance job=42 for ${x:job}.
    #[arg(long = "var", value_name = "K=V", value_parser = variable, requires = "callback_url")]
    variables: Vec<Variable>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BodyType {
    Form,
    Json,
}

impl CallbackOptions {
    /// None if no address is given.
    pub(crate) fn form(&self) -> Option<CallbackProfileForm> {
        if self.callback_url.is_empty() {
            return None;
        }
        let json = self.callback_body_type == BodyType::Json;
        let default_body = if json { DEFAULT_JSON_BODY } else { DEFAULT_FORM_BODY };
        Some(CallbackProfileForm {
            urls: self.callback_url.clone(),
            host: String::new(),
            body: self.callback_body.clone().unwrap_or_else(|| default_body.to_owned()),
            body_type: if json { BodyKind::Json } else { BodyKind::Form },
            sni: wants_sni(&self.callback_url),
            variables: self.variables.clone(),
            ..CallbackProfileForm::default()
        })
    }
}

/// A host behind a CDN answers with another certificate when it is not told which name is meant.
pub(crate) fn wants_sni(urls: &[String]) -> bool {
    urls.iter().any(|url| url.starts_with("https:"))
}

fn variable(text: &str) -> Result<Variable, String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("\"{text}\" is not name=value"))?;
    let name = if name.starts_with("x:") { name.to_owned() } else { format!("x:{name}") };
    Ok(Variable { name, value: value.to_owned() })
}
