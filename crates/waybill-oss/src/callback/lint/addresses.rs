//! Findings about the addresses.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use super::super::rules::{self, UrlFault};
use super::super::spec::CallbackSpec;
use super::{Field, Finding, LintFacts, Rule};

/// This region names the host in every TLS handshake, whatever the callback says [Callback, `callbackSNI`].
const ALWAYS_SNI: &str = "eu-west-1";

pub(super) fn look(spec: &CallbackSpec, facts: &LintFacts, all: &mut Vec<Finding>) {
    let trimmed = spec.urls.iter().map(|url| url.trim()).enumerate();
    let given: Vec<(usize, &str)> = trimmed.filter(|(_, url)| !url.is_empty()).collect();
    if given.is_empty() {
        let finding = Finding::error(Rule::EmptyUrl, Field::Url, "");
        all.push(if spec.urls.is_empty() { finding } else { finding.row(0) });
    }
    if let Some(&(sixth, _)) = given.get(5) {
        let first = CallbackSpec { urls: spec.urls[..sixth].to_vec(), ..spec.clone() };
        let about = given.len().to_string();
        all.push(Finding::error(Rule::TooManyUrls, Field::Url, about).row(sixth).cured(first));
    }
    for (row, url) in given {
        let address = Address { spec, row, url };
        match rules::address(url) {
            Err(fault) => all.push(address.refused(fault)),
            Ok(()) => all.extend(address.not_encoded()),
        }
        all.extend(address.fragment());
        if !facts.local {
            all.extend(address.private());
            all.extend(address.resolves_private(facts));
        }
    }
    all.extend(without_sni(spec, facts));
}

/// One address that is not empty.
struct Address<'a> {
    spec: &'a CallbackSpec,
    row: usize,
    /// Without the blanks around it.
    url: &'a str,
}

impl Address<'_> {
    fn refused(&self, fault: UrlFault<'_>) -> Finding {
        let url = self.url;
        let host = rules::host(url);
        let (rule, about, range) = match fault {
            UrlFault::Port(port) => (Rule::BadPort, port, host.end..rules::authority(url).end),
            UrlFault::Ipv6 => (Rule::Ipv6Address, url, rules::authority(url)),
            UrlFault::Host(_) | UrlFault::Number(_) => (Rule::BadUrl, url, host),
            UrlFault::Scheme | UrlFault::Semicolon | UrlFault::NoHost | UrlFault::Unreadable => {
                (Rule::BadUrl, url, 0..url.len())
            }
        };
        let cured = match fault {
            // The colon alone.
            UrlFault::Port("") => Some(self.with(&without(url, rules::host(url).end..rules::authority(url).end))),
            UrlFault::Semicolon => Some(self.at_semicolons()),
            UrlFault::Host(host) if !host.is_ascii() => self.with_ascii_host(),
            _ => None,
        };
        self.finding(Finding::error(rule, Field::Url, about), range).cured(cured)
    }

    fn not_encoded(&self) -> Option<Finding> {
        let address = self.url.split('#').next().unwrap_or_default();
        let encoded = rules::encoded_once(address);
        if encoded == address {
            return None;
        }
        let fits = |c: &char| rules::encoded_once(&c.to_string()) == c.to_string();
        // A `%` that begins no escape fits by itself, since nothing else is known of it.
        let start = address.chars().take_while(fits).map(char::len_utf8).sum::<usize>();
        let end = start + address[start..].chars().take_while(|c| !fits(c)).map(char::len_utf8).sum::<usize>();
        let cured = self.with(&format!("{encoded}{}", &self.url[address.len()..]));
        Some(self.finding(Finding::warning(Rule::NotEncoded, Field::Url, self.url), start..end).cured(cured))
    }

    fn fragment(&self) -> Option<Finding> {
        let at = self.url.find('#')?;
        let finding = Finding::warning(Rule::Fragment, Field::Url, self.url);
        Some(self.finding(finding, at..self.url.len()).cured(self.with(&self.url[..at])))
    }

    fn private(&self) -> Option<Finding> {
        let host = rules::host(self.url);
        let name = self.url[host.clone()].trim_end_matches('.').to_ascii_lowercase();
        let private = match name.parse() {
            Ok(address) => is_private(address),
            Err(_) => name == "localhost" || name.ends_with(".localhost") || name.ends_with(".local"),
        };
        let finding = Finding::error(Rule::PrivateAddress, Field::Url, &self.url[host.clone()]);
        private.then(|| self.finding(finding, host))
    }

    /// One private address among others is enough. A name with IPv6 besides a public address is called by the latter.
    /// Only a warning: OSS may resolve the name to something else.
    fn resolves_private(&self, facts: &LintFacts) -> Option<Finding> {
        let host = rules::host(self.url);
        let name = self.url[host.clone()].trim_end_matches('.');
        let (_, found) =
            facts.resolved.iter().find(|(known, _)| known.trim_end_matches('.').eq_ignore_ascii_case(name))?;
        let private = |address: &&IpAddr| matches!(address, IpAddr::V4(address) if is_private(*address));
        let bad = found.iter().find(private).or_else(|| found.iter().all(IpAddr::is_ipv6).then(|| found.first())?)?;
        if name.parse::<Ipv4Addr>().is_ok() {
            return None;
        }
        let finding = Finding::warning(Rule::ResolvesPrivate, Field::Url, format!("{name} ({bad})"));
        Some(self.finding(finding, host))
    }

    /// Each part by itself, where they are addresses; else the semicolons are part of one, and encoded.
    fn at_semicolons(&self) -> CallbackSpec {
        let parts: Vec<&str> = self.url.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
        let is_address = |part: &&str| rules::scheme(part).0.is_some();
        if !parts.iter().skip(1).all(is_address) {
            return self.with(&self.url.replace(';', "%3B"));
        }
        let mut spec = self.spec.clone();
        spec.urls.splice(self.row..=self.row, parts.into_iter().map(str::to_owned));
        spec
    }

    /// A name of another alphabet in its `xn--` form.
    fn with_ascii_host(&self) -> Option<CallbackSpec> {
        let host = rules::host(self.url);
        let ascii = rules::parsed(&self.url[host.clone()])?.host_str()?.to_owned();
        Some(self.with(&format!("{}{ascii}{}", &self.url[..host.start], &self.url[host.end..])))
    }

    fn with(&self, url: &str) -> CallbackSpec {
        let mut spec = self.spec.clone();
        spec.urls[self.row] = url.to_owned();
        spec
    }

    /// In the row, at the range of the trimmed text.
    fn finding(&self, finding: Finding, Range { start, end }: Range<usize>) -> Finding {
        let given = &self.spec.urls[self.row];
        let blanks = given.len() - given.trim_start().len();
        finding.row(self.row).at(blanks + start..blanks + end)
    }
}

fn without(text: &str, range: Range<usize>) -> String {
    format!("{}{}", &text[..range.start], &text[range.end..])
}

/// One finding for all addresses, as it is one switch.
fn without_sni(spec: &CallbackSpec, facts: &LintFacts) -> Option<Finding> {
    let always = facts.region.as_deref().is_some_and(|region| region.trim_start_matches("oss-") == ALWAYS_SNI);
    if spec.sni || always {
        return None;
    }
    // An address in figures is never named in a handshake (RFC 6066, 3).
    let wants = |url: &&str| {
        let https = rules::scheme(url).0.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        https && url[rules::host(url)].parse::<Ipv4Addr>().is_err()
    };
    let url = spec.urls.iter().map(|url| url.trim()).find(wants)?;
    let cured = CallbackSpec { sni: true, ..spec.clone() };
    Some(Finding::warning(Rule::HttpsWithoutSni, Field::Sni, url).cured(cured))
}

/// Loopback, RFC 1918, link-local, carrier-grade NAT, and what is no address of anybody.
fn is_private(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let carrier_grade = first == 100 && (64..128).contains(&second);
    let nobodys = first == 0 || first >= 224;
    nobodys || carrier_grade || address.is_loopback() || address.is_private() || address.is_link_local()
}
