//! What OSS takes about a callback, or what we cannot know, but what seldom does what was meant.

use std::fmt;
use std::net::Ipv4Addr;

use serde::Serialize;

use super::spec::{BodyType, CallbackSpec};
use super::{rules, template};

/// One thing to look at before an upload asks for this callback. It is no refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "warning", rename_all = "camelCase")]
pub enum CallbackWarning {
    /// The address is loopback or private: OSS itself refuses it (EC 0007-00000008), a server on this computer does not.
    PrivateAddress {
        /// As it was given.
        url: String,
    },
    /// https without SNI: a host that serves several names answers with another one's certificate.
    HttpsWithoutSni {
        /// As it was given.
        url: String,
    },
    /// What stands behind a `#` never reaches a server.
    Fragment {
        /// As it was given.
        url: String,
    },
    /// OSS knows no such variable.
    UnknownVariable {
        /// As it stands in the body.
        name: String,
        /// The variable that was probably meant.
        meant: Option<String>,
    },
    /// The body names one of our own variables that has no value.
    UndefinedVariable {
        /// As it stands in the body, with its `x:`.
        name: String,
    },
    /// A variable that the body does not name is not sent to anybody.
    UnusedVariable {
        /// With its `x:`.
        name: String,
    },
    /// A JSON body has the variable between quotes, or in a longer text: OSS brings quotes along, so two follow each other.
    QuotedVariable {
        /// As it stands in the body.
        name: String,
    },
    /// A body that is said to be JSON is not, whatever stands in for its variables.
    NotJson {
        /// What is wrong, as the parser says.
        why: String,
    },
    /// A variable's name with other characters than every sample of OSS has: lower-case letters, digits, underscores.
    UnusualName {
        /// With its `x:`.
        name: String,
    },
}

impl fmt::Display for CallbackWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallbackWarning::PrivateAddress { url } => {
                write!(f, "OSS cannot reach the private address “{url}” and refuses it; use a public one.")
            }
            CallbackWarning::HttpsWithoutSni { url } => {
                write!(
                    f,
                    "Switch SNI on for “{url}”, or a host with several names may answer with a wrong certificate."
                )
            }
            CallbackWarning::Fragment { url } => write!(f, "What stands behind the # of “{url}” is never sent."),
            CallbackWarning::UnknownVariable { name, meant: Some(meant) } => {
                write!(f, "OSS knows no variable “${{{name}}}”; did you mean “${{{meant}}}”?")
            }
            CallbackWarning::UnknownVariable { name, meant: None } => {
                write!(f, "OSS knows no variable “${{{name}}}”; your own begin with “x:”.")
            }
            CallbackWarning::UndefinedVariable { name } => {
                write!(f, "The body names “${{{name}}}”, which has no value.")
            }
            CallbackWarning::UnusedVariable { name } => {
                write!(f, "The variable “{name}” is not in the body, so nobody is told it.")
            }
            CallbackWarning::QuotedVariable { name } => {
                write!(f, "Take the quotes away from “${{{name}}}”: in a JSON body OSS writes its value with quotes.")
            }
            CallbackWarning::NotJson { why } => {
                write!(f, "The body is no JSON once its variables are filled in: {why}.")
            }
            CallbackWarning::UnusualName { name } => {
                write!(f, "OSS may refuse the variable name “{name}”; use lower-case letters, digits and underscores.")
            }
        }
    }
}

impl CallbackSpec {
    /// What to look at again. Nothing is said about what [`CallbackSpec::encode`] refuses.
    pub fn warnings(&self) -> Vec<CallbackWarning> {
        let mut all = Vec::new();
        for url in self.urls.iter().map(|url| url.trim()).filter(|url| !url.is_empty()) {
            let url = url.to_owned();
            if is_private(&url) {
                all.push(CallbackWarning::PrivateAddress { url: url.clone() });
            }
            if url.contains('#') {
                all.push(CallbackWarning::Fragment { url: url.clone() });
            }
            if !self.sni && url.to_ascii_lowercase().starts_with("https://") {
                all.push(CallbackWarning::HttpsWithoutSni { url });
            }
        }
        let ours: Vec<String> = self.variables.keys().filter_map(|name| rules::variable_name(name).ok()).collect();
        let named = template::variables(&self.body).unwrap_or_default();
        let first_time = |(at, name): &(usize, &&str)| !named[..*at].contains(name);
        for (_, name) in named.iter().enumerate().filter(first_time) {
            let name = (*name).to_owned();
            if name.starts_with("x:") {
                if !ours.contains(&name) {
                    all.push(CallbackWarning::UndefinedVariable { name });
                }
            } else if !template::KNOWN.contains(&name.as_str()) {
                let meant = meant(&name, &ours);
                all.push(CallbackWarning::UnknownVariable { name, meant });
            }
        }
        if self.policy.is_none() && self.body_type == BodyType::Json && !self.body.trim().is_empty() {
            all.extend(json_trouble(&self.body));
        }
        for name in ours {
            let usual = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if !name.bytes().skip(2).all(usual) {
                all.push(CallbackWarning::UnusualName { name: name.clone() });
            }
            // What a callback stored with the bucket names is not known here.
            if self.policy.is_none() && !named.contains(&name.as_str()) {
                all.push(CallbackWarning::UnusedVariable { name });
            }
        }
        all
    }
}

/// What a body of JSON is wrong in. Nothing where its variables are not written rightly, which is refused anyway.
fn json_trouble(body: &str) -> Vec<CallbackWarning> {
    let Ok(pieces) = template::pieces(body) else { return Vec::new() };
    let (mut all, mut filled, mut quoted) = (Vec::new(), String::new(), false);
    for (text, name) in pieces {
        quoted = ends_in_text(quoted, text);
        filled += text;
        let Some(name) = name else { continue };
        filled += "null";
        // A size is a bare number, so quotes around it do no harm.
        let warning = CallbackWarning::QuotedVariable { name: name.to_owned() };
        if quoted && name != "size" && !all.contains(&warning) {
            all.push(warning);
        }
    }
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&filled) {
        // Where it is would be counted in what was filled in.
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default().to_owned();
        all.push(CallbackWarning::NotJson { why });
    }
    all
}

/// Whether a piece of JSON ends between two quotes, when it begins there or not.
fn ends_in_text(mut inside: bool, piece: &str) -> bool {
    let mut chars = piece.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => inside = !inside,
            '\\' if inside => _ = chars.next(),
            _ => {}
        }
    }
    inside
}

/// The variable that somebody meant who left out the `x:` or the right case.
fn meant(name: &str, ours: &[String]) -> Option<String> {
    let own = format!("x:{name}");
    let known = template::KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name));
    if ours.contains(&own) { Some(own) } else { known.map(|known| (*known).to_owned()) }
}

/// Addresses that OSS does not call: this computer, private networks, and what is meant for neither.
fn is_private(url: &str) -> bool {
    let host = rules::authority(url);
    let host = host.split_once(':').map_or(host, |(host, _)| host).trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<Ipv4Addr>() {
        Ok(address) => {
            let [first, second, ..] = address.octets();
            let carrier_grade = first == 100 && (64..128).contains(&second);
            carrier_grade
                || address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast()
        }
        Err(_) => host == "localhost" || host.ends_with(".localhost") || host.ends_with(".local"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(url: &str, body: &str) -> CallbackSpec {
        CallbackSpec { urls: vec![url.to_owned()], body: body.to_owned(), ..CallbackSpec::default() }
    }

    #[test]
    fn private_addresses_are_named_and_not_refused() {
        for url in [
            "http://127.0.0.1:9000/cb",
            "localhost",
            "http://10.1.2.3",
            "http://172.16.0.1/",
            "http://192.168.1.1",
            "http://169.254.1.1",
            "http://100.64.0.1",
            "http://0.0.0.0",
            "http://u@127.0.0.1/",
            "http://LOCALHOST./cb",
            "http://printer.local",
        ] {
            let spec = spec(url, "object=${object}");
            assert_eq!(spec.warnings(), [CallbackWarning::PrivateAddress { url: url.to_owned() }], "{url}");
            assert!(spec.encode().is_ok(), "{url}");
        }
        for url in ["http://app.example.com", "http://8.8.8.8:80/10.0.0.1", "http://172.32.0.1", "http://100.128.0.1"] {
            assert!(spec(url, "object=${object}").warnings().is_empty(), "{url}");
        }
    }

    #[test]
    fn https_without_sni_and_fragments_are_named() {
        let mut spec = spec("https://app.example.com/cb#top", "object=${object}");
        assert_eq!(spec.warnings().len(), 2);
        spec.sni = true;
        assert!(matches!(&spec.warnings()[..], [CallbackWarning::Fragment { .. }]));
    }

    #[test]
    fn a_json_body_is_read_as_osss_values_will_stand_in_it() {
        let json = |body: &str| {
            let spec = CallbackSpec { body_type: BodyType::Json, ..spec("http://app.example.com", body) };
            spec.warnings()
        };
        for good in [
            "{\"a\":${object},\"size\":\"${size}\",\"n\":[${etag},{\"\\\\\":${bucket}}]}",
            "${object}",
            "{\"say\":\"\\\"\",\"a\":${object}}",
        ] {
            assert_eq!(json(good), [], "{good}");
        }
        let quoted = |name: &str| CallbackWarning::QuotedVariable { name: name.to_owned() };
        assert_eq!(json("{\"a\":\"${object}\",\"b\":\"${object}\"}"), [quoted("object")]);
        assert_eq!(json("{\"a\":\"by \\\"${etag}\\\" of ${bucket}\"}"), [quoted("etag"), quoted("bucket")]);
        for bad in ["{\"a\":${object}", "{a:${object}}", "object=${object}&size=${size}", "{\"${object}\":1,}"] {
            let said = json(bad);
            assert!(matches!(said.last(), Some(CallbackWarning::NotJson { .. })), "{bad}: {said:?}");
        }
        assert!(spec("http://app.example.com", "object=\"${object}\"").warnings().is_empty(), "a form has no quotes");
        assert_eq!(json("{\"a\":${"), [], "that is refused");
    }

    #[test]
    fn variables_nobody_knows_are_named_with_the_one_that_was_meant() {
        let mut spec = spec("http://app.example.com", "${Object} ${order} ${x:lost} ${what} ${object} ${what}");
        spec.variables = [("order".to_owned(), "42".to_owned()), ("a-b".to_owned(), String::new())].into();
        let unknown = |name: &str, meant: Option<&str>| CallbackWarning::UnknownVariable {
            name: name.to_owned(),
            meant: meant.map(str::to_owned),
        };
        assert_eq!(
            spec.warnings(),
            [
                unknown("Object", Some("object")),
                unknown("order", Some("x:order")),
                CallbackWarning::UndefinedVariable { name: "x:lost".to_owned() },
                unknown("what", None),
                CallbackWarning::UnusualName { name: "x:a-b".to_owned() },
                CallbackWarning::UnusedVariable { name: "x:a-b".to_owned() },
                CallbackWarning::UnusedVariable { name: "x:order".to_owned() },
            ]
        );
        assert!(spec.warnings()[0].to_string().contains("${object}"));
    }
}
