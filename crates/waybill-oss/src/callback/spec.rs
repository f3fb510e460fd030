//! What OSS is asked to call after an upload, and the two headers that carry it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::escape;

/// The longest header value OSS takes, measured on the Base64 text (EC 0007-00000101).
const LONGEST: usize = 5 * 1024;

/// A callback as a person sets it up (API page Callback).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackSpec {
    /// One to five addresses, tried in order until the first that answers. They are percent-encoded where they are not yet.
    pub urls: Vec<String>,
    /// The Host header of the call; none for the address's own.
    #[serde(default)]
    pub host: Option<String>,
    /// The body of the call, with `${name}` for OSS's variables and `${x:name}` for ours.
    pub body: String,
    /// How OSS fills the body in, and the call's Content-Type.
    #[serde(default)]
    pub body_type: BodyType,
    /// Name the host in the TLS handshake: wanted for https addresses.
    #[serde(default)]
    pub sni: bool,
    /// Our own variables; the names may be given with or without their `x:`.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

/// How OSS fills in the body of a callback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BodyType {
    /// `application/x-www-form-urlencoded`: values are percent-encoded.
    #[default]
    Form,
    /// `application/json`: values come as JSON, texts with their quotes.
    Json,
}

impl BodyType {
    fn content_type(self) -> &'static str {
        match self {
            BodyType::Form => "application/x-www-form-urlencoded",
            BodyType::Json => "application/json",
        }
    }
}

/// The header values that carry a callback, Base64 of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackHeaders {
    /// `x-oss-callback`.
    pub callback: String,
    /// `x-oss-callback-var`, if there are variables.
    pub callback_var: Option<String>,
}

impl CallbackSpec {
    /// Writes the headers, or says in words what OSS would refuse ([`Error::Invalid`]).
    pub fn encode(&self) -> Result<CallbackHeaders, Error> {
        let mut callback = Map::new();
        callback.insert("callbackUrl".to_owned(), self.joined_urls()?.into());
        if let Some(host) = self.host.as_deref().map(str::trim).filter(|host| !host.is_empty()) {
            callback.insert("callbackHost".to_owned(), host.into());
        }
        callback.insert("callbackBody".to_owned(), self.checked_body()?.into());
        callback.insert("callbackBodyType".to_owned(), self.body_type.content_type().into());
        if self.sni {
            callback.insert("callbackSNI".to_owned(), true.into());
        }
        let mut variables = Map::new();
        for (name, value) in &self.variables {
            let name = variable_name(name)?;
            if variables.insert(name.clone(), value.as_str().into()).is_some() {
                return refuse(format!("the variable “{name}” is set twice"));
            }
        }
        let callback_var = if variables.is_empty() { None } else { Some(base64_json(variables, "variables")?) };
        Ok(CallbackHeaders { callback: base64_json(callback, "settings")?, callback_var })
    }

    fn joined_urls(&self) -> Result<String, Error> {
        let urls: Vec<&str> = self.urls.iter().map(|url| url.trim()).filter(|url| !url.is_empty()).collect();
        if urls.is_empty() {
            return refuse("the address to call is missing");
        }
        if urls.len() > 5 {
            return refuse("OSS takes five addresses at most");
        }
        for url in &urls {
            let rest = match url.split_once("://") {
                Some((scheme, rest)) if matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") => rest,
                Some(_) => return refuse(format!("“{url}” is neither http nor https")),
                None => url,
            };
            if rest.is_empty() || rest.starts_with(['/', '?', ':']) {
                return refuse(format!("“{url}” has no host"));
            }
            if url.contains(';') {
                return refuse(format!(
                    "“{url}” holds a semicolon, which separates addresses: give each one by itself"
                ));
            }
        }
        Ok(urls.into_iter().map(encoded_once).collect::<Vec<_>>().join(";"))
    }

    fn checked_body(&self) -> Result<&str, Error> {
        if self.body.trim().is_empty() {
            return refuse("the body is empty");
        }
        // OSS refuses a lone dollar sign (EC 0007-00000105).
        if self.body.split('$').skip(1).any(|rest| !rest.starts_with('{')) {
            return refuse("the body has a “$” that begins no “${variable}”");
        }
        Ok(&self.body)
    }
}

fn refuse<T>(why: impl std::fmt::Display) -> Result<T, Error> {
    Err(Error::Invalid(format!("Callback: {why}.")))
}

/// `x:name`: OSS wants the prefix and lower case (EC 0007-00000105).
fn variable_name(name: &str) -> Result<String, Error> {
    let bare = name.strip_prefix("x:").unwrap_or(name);
    let unfit = |c: char| c.is_uppercase() || c.is_whitespace() || c.is_control() || matches!(c, '$' | '{' | '}' | ':');
    if bare.is_empty() || bare.contains(unfit) {
        return refuse(format!("the variable name “{name}” must be lower-case letters, digits and underscores"));
    }
    Ok(format!("x:{bare}"))
}

/// Percent-encodes what may not stand in a URL and leaves what is encoded already.
fn encoded_once(url: &str) -> String {
    let bytes = url.as_bytes();
    let mut out = String::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let fits = match byte {
            b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
            _ => byte.is_ascii_graphic(),
        };
        if fits { out.push(char::from(byte)) } else { escape::push_hex(&mut out, byte) }
    }
    out
}

fn base64_json(object: Map<String, Value>, what: &str) -> Result<String, Error> {
    let text = STANDARD.encode(Value::Object(object).to_string());
    if text.len() > LONGEST {
        return refuse(format!("the {what} take {} bytes once encoded, OSS takes {LONGEST}", text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> CallbackSpec {
        CallbackSpec {
            urls: vec!["https://app.example.com/cb".to_owned()],
            host: None,
            body: "object=${object}".to_owned(),
            body_type: BodyType::Form,
            sni: false,
            variables: BTreeMap::new(),
        }
    }

    fn decoded(base64: &str) -> Value {
        serde_json::from_slice(&STANDARD.decode(base64).expect("base64")).expect("json")
    }

    fn refused(spec: &CallbackSpec) -> String {
        spec.encode().expect_err("must be refused").to_string()
    }

    #[test]
    fn headers_say_what_the_sdks_say() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/callback-encode.json")).expect("json");
        let vectors = vectors["vectors"].as_array().expect("vectors");
        assert_eq!(vectors.len(), 10);
        for vector in vectors {
            let input = &vector["input"];
            let text = |name: &str| input[name].as_str().map(str::to_owned);
            let spec = CallbackSpec {
                urls: text("url").expect("url").split(';').map(str::to_owned).collect(),
                host: text("host"),
                body: text("body").expect("body"),
                body_type: if text("contentType").as_deref() == Some("application/json") {
                    BodyType::Json
                } else {
                    BodyType::Form
                },
                sni: input["callbackSNI"].as_bool().unwrap_or(false),
                variables: input["customValue"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.clone(), value.as_str().map_or(value.to_string(), str::to_owned)))
                    .collect(),
            };
            let headers = spec.encode().expect("headers");
            // ali-oss encodes an address that is encoded already once more.
            let sdk = if vector["id"] == "encoded-url" { "python" } else { "ali_oss" };
            let read = |name: &str| {
                vector[sdk][name].as_str().map_or(Value::Null, |text| serde_json::from_str(text).expect("json"))
            };
            let mut expected = read("callback_json");
            // The form type is OSS's default; we always name it.
            let fields = expected.as_object_mut().expect("object");
            fields.entry("callbackBodyType").or_insert("application/x-www-form-urlencoded".into());
            assert_eq!(decoded(&headers.callback), expected, "{}", vector["id"]);
            let variables = headers.callback_var.as_deref().map_or(Value::Null, decoded);
            assert_eq!(variables, read("callback_var_json"), "{}", vector["id"]);
        }
    }

    #[test]
    fn an_address_is_encoded_once() {
        assert_eq!(encoded_once("http://a/%E4%B8%AD.php?k=中 文"), "http://a/%E4%B8%AD.php?k=%E4%B8%AD%20%E6%96%87");
        assert_eq!(encoded_once("http://a/100%"), "http://a/100%25");
    }

    #[test]
    fn addresses_that_oss_refuses_are_refused_in_words() {
        for urls in [
            vec![],
            vec![" "],
            vec!["ftp://a"],
            vec!["https://"],
            vec!["http:///x"],
            vec!["http://a;http://b"],
            vec!["http://a"; 6],
        ] {
            let urls = urls.into_iter().map(str::to_owned).collect();
            assert!(refused(&CallbackSpec { urls, ..spec() }).starts_with("Callback: "));
        }
        let bare = CallbackSpec { urls: vec!["app.example.com/cb".to_owned()], ..spec() };
        assert!(bare.encode().is_ok(), "OSS takes an address without a scheme");
    }

    #[test]
    fn bodies_that_oss_refuses_are_refused() {
        for body in ["", "  ", "price=$5", "a=${object}&b=$"] {
            refused(&CallbackSpec { body: body.to_owned(), ..spec() });
        }
    }

    #[test]
    fn variables_get_their_prefix_and_must_be_lower_case() {
        let with = |names: &[&str]| CallbackSpec {
            variables: names.iter().map(|name| ((*name).to_owned(), "v".to_owned())).collect(),
            ..spec()
        };
        let headers = with(&["order_id", "x:user"]).encode().expect("headers");
        let json = decoded(&headers.callback_var.expect("variables"));
        assert_eq!(json, serde_json::json!({"x:order_id": "v", "x:user": "v"}));
        for names in [&["User"][..], &["x:"], &["a b"], &["a", "x:a"]] {
            refused(&with(names));
        }
    }

    #[test]
    fn more_than_five_kilobytes_is_refused_before_sending() {
        let body = "x".repeat(5000);
        assert!(refused(&CallbackSpec { body, ..spec() }).contains("5120"));
        let variables = BTreeMap::from([("v".to_owned(), "x".repeat(5000))]);
        refused(&CallbackSpec { variables, ..spec() });
    }
}
