//! Through which proxy: none, the system's, or one that is named; never for this computer itself.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::Url;

use crate::endpoint::is_loopback;
use crate::error::Error;
use crate::escape;

/// Through which proxy requests go. Those to `localhost` and loopback addresses go through none, whatever is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProxyChoice {
    /// None.
    None,
    /// As the environment says (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), else the settings of macOS or
    /// Windows. Read once, when the client is made.
    #[default]
    System,
    /// This one, for everything.
    Url(ProxyUrl),
}

impl ProxyChoice {
    pub(super) fn to_reqwest(&self) -> Option<reqwest::Proxy> {
        match self {
            ProxyChoice::None => None,
            ProxyChoice::System => {
                let matcher = Matcher::from_system();
                // Asked for every request, so not where the answer is known: most systems name none.
                names_any(&matcher).then(|| {
                    reqwest::Proxy::custom(move |url| if is_own(url) { None } else { chosen_by(&matcher, url) })
                })
            }
            ProxyChoice::Url(ProxyUrl(proxy)) => {
                let proxy = proxy.clone();
                Some(reqwest::Proxy::custom(move |url| if is_own(url) { None } else { Some(proxy.clone()) }))
            }
        }
    }
}

/// A proxy's address and, where it asks for one, its login. `Display` leaves the login out and `Debug` stars it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProxyUrl(Url);

impl ProxyUrl {
    /// Takes `http://`, `https://`, `socks5://` (names are resolved here) or `socks5h://` (names are resolved by the
    /// proxy), with `user:password@` if needed, percent-encoded as in any URL; without a scheme it is http.
    ///
    /// [`Error::Invalid`] says what is wrong and repeats nothing of the text, which may hold a password.
    pub fn parse(text: &str) -> Result<ProxyUrl, Error> {
        let refuse = |why: &str| {
            Error::Invalid(format!(
                "Proxy: {why}; write it like http://proxy.example.com:3128 or socks5h://10.0.0.1:1080."
            ))
        };
        let text = text.trim();
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let mut url = Url::parse(&whole).map_err(|_| refuse("this is not a web address"))?;
        if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
            return Err(refuse("only http, https, socks5 and socks5h are spoken"));
        }
        // The library takes anything for the host of a scheme that it does not know, which would end in no proxy at all.
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']');
        if !url.host_str().is_some_and(|host| !host.is_empty() && host.bytes().all(is_plain)) {
            return Err(refuse("the host is missing or has characters that a host cannot have"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse(
                "nothing may follow the host and port (a password's / ? # and @ are written %2F %3F %23 %40)",
            ));
        }
        let user = plain(url.username());
        let password = url.password().map(plain);
        set_login(&mut url, &user, password.as_deref());
        Ok(ProxyUrl(url))
    }

    /// The same proxy with another login, nothing encoded; an empty user is none.
    pub fn with_login(mut self, user: &str, password: Option<&str>) -> ProxyUrl {
        set_login(&mut self.0, user, password.filter(|_| !user.is_empty()));
        self
    }

    /// The login's user, decoded.
    pub fn user(&self) -> Option<String> {
        Some(plain(self.0.username())).filter(|user| !user.is_empty())
    }

    /// The address with its user and without the password, as settings may keep it.
    pub fn without_password(&self) -> String {
        let mut url = self.0.clone();
        set_login(&mut url, &self.user().unwrap_or_default(), None);
        url.as_str().trim_end_matches('/').to_owned()
    }

    /// The login's password, decoded: only for the SecretStore.
    pub fn password(&self) -> Option<String> {
        self.0.password().map(plain)
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = if self.user().is_some() || self.password().is_some() { ", ***" } else { "" };
        write!(f, "ProxyUrl({self}{login})")
    }
}

/// Whether a URL leads to this computer.
fn is_own(url: &Url) -> bool {
    url.host_str().is_some_and(|host| is_loopback(host) || host.ends_with(".localhost"))
}

/// Whether the system's settings name a proxy for anything; no name ends in `.invalid` (RFC 2606), so none is an exception.
fn names_any(matcher: &Matcher) -> bool {
    let asked = ["http://oss.invalid/", "https://oss.invalid/"].into_iter().filter_map(|url| url.parse().ok());
    asked.into_iter().any(|url| matcher.intercept(&url).is_some())
}

/// The proxy that the system's settings name for a URL.
fn chosen_by(matcher: &Matcher, url: &Url) -> Option<Url> {
    let found = matcher.intercept(&url.as_str().parse().ok()?)?;
    let mut proxy = Url::parse(&found.uri().to_string()).ok()?;
    if let Some((user, password)) = login_of(&found) {
        set_login(&mut proxy, &user, Some(&password));
    }
    Some(proxy)
}

fn login_of(found: &Intercept) -> Option<(String, String)> {
    if let Some((user, password)) = found.raw_auth() {
        return Some((user.to_owned(), password.to_owned()));
    }
    let encoded = found.basic_auth()?.to_str().ok()?.strip_prefix("Basic ")?;
    let login = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = login.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Only a URL without a host has no room for a login, and none comes here.
fn set_login(url: &mut Url, user: &str, password: Option<&str>) {
    let _ = url.set_username(&escape::component(user));
    let _ = url.set_password(password.map(escape::component).as_deref());
}

/// A stray `%` is taken as it is.
fn plain(encoded: &str) -> String {
    escape::decoded(encoded).unwrap_or_else(|| encoded.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("url")
    }

    #[test]
    fn addresses_and_logins_are_taken_as_people_type_them() {
        for (text, shown, user, password) in [
            ("proxy.example.com:3128", "http://proxy.example.com:3128", None, None),
            (" https://proxy.example.com/ ", "https://proxy.example.com", None, None),
            ("socks5://10.0.0.1:1080", "socks5://10.0.0.1:1080", None, None),
            ("socks5h://[::1]:1080", "socks5h://[::1]:1080", None, None),
            ("http://ann:p%40ss%3A@proxy:3128", "http://proxy:3128", Some("ann"), Some("p@ss:")),
            ("socks5://ann:100%@proxy", "socks5://proxy", Some("ann"), Some("100%")),
            ("http://ann@proxy", "http://proxy", Some("ann"), None),
        ] {
            let proxy = ProxyUrl::parse(text).expect(text);
            assert_eq!(proxy.to_string(), shown);
            assert_eq!((proxy.user().as_deref(), proxy.password().as_deref()), (user, password), "{text}");
            assert_eq!(ProxyUrl::parse(proxy.0.as_str()).expect("again"), proxy);
        }
        for password in ["p@s:s/w?o#r%d", "%41", "пароль", " "] {
            let proxy = ProxyUrl::parse("socks5h://proxy").expect("proxy").with_login("ann@home:", Some(password));
            assert_eq!((proxy.user().as_deref(), proxy.password().as_deref()), (Some("ann@home:"), Some(password)));
            assert_eq!(proxy.with_login("", Some(password)), ProxyUrl::parse("socks5h://proxy").expect("proxy"));
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_a_password() {
        for text in [
            "",
            "http://",
            "socks4://proxy",
            "ftp://ann:hunter2@proxy",
            "http://ann:hunter2/@proxy:3128",
            "http://ann:hunter2#@proxy:3128",
            "http://ann:1?hunter2@proxy:3128",
            "socks5://ann:hunter2@pro xy",
            "socks5://ann:hunter2@pr%6Fxy",
            "http://proxy:3128/path",
        ] {
            let words = ProxyUrl::parse(text).expect_err(text).to_string();
            assert!(words.starts_with("Proxy: ") && !words.contains("hunter2"), "{words}");
        }
    }

    #[test]
    fn a_proxys_password_is_in_no_print() {
        let proxy = ProxyUrl::parse("http://ann:hunter2@proxy:3128").expect("proxy");
        let options = crate::HttpOptions { proxy: ProxyChoice::Url(proxy.clone()), ..crate::HttpOptions::default() };
        let client = crate::http_client(&options).expect("client");
        for text in [format!("{proxy}"), format!("{proxy:?}"), format!("{options:?}"), format!("{client:?}")] {
            assert!(!text.contains("hunter2") && !text.contains("ann"), "{text}");
        }
        assert_eq!(format!("{proxy:?}"), "ProxyUrl(http://proxy:3128, ***)");
    }

    #[test]
    fn the_systems_proxy_is_taken_with_its_login_and_its_exceptions() {
        let matcher = Matcher::builder()
            .http("http://ann:p%40s%3As@web:3128")
            .https("socks5h://ann:p%40s%3As@socks")
            .no("inside.example.com")
            .build();
        let chosen = |text: &str| chosen_by(&matcher, &url(text)).map(String::from);
        assert_eq!(chosen("http://oss.example.com/").as_deref(), Some("http://ann:p%40s%3As@web:3128/"));
        assert_eq!(chosen("https://oss.example.com/").as_deref(), Some("socks5h://ann:p%40s%3As@socks/"));
        assert_eq!(chosen("https://b.inside.example.com/"), None);
    }

    #[test]
    fn a_system_without_a_proxy_is_not_asked_again_and_one_with_any_is() {
        let any = |matcher: hyper_util::client::proxy::matcher::Builder| names_any(&matcher.build());
        assert!(!any(Matcher::builder()) && !any(Matcher::builder().no("inside.example.com")));
        assert!(any(Matcher::builder().http("http://web:3128")) && any(Matcher::builder().https("http://web:3128")));
        assert!(any(Matcher::builder().all("socks5h://socks").no("inside.example.com,10.0.0.0/8")));
    }

    #[test]
    fn this_computer_is_never_reached_through_a_proxy() {
        for text in
            ["http://127.0.0.1:9000", "https://[::1]", "http://localhost:80", "http://b.localhost", "http://127.9.9.9"]
        {
            assert!(is_own(&url(text)), "{text}");
        }
        for text in ["http://192.168.0.1", "https://localhost.example.com", "https://oss-cn-hangzhou.aliyuncs.com"] {
            assert!(!is_own(&url(text)), "{text}");
        }
    }
}
