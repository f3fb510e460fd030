//! English words for what the window has words of its own for.

use waybill_engine::view::{Comparison, Expectation, ImportNote, ImportTrap, SignatureKind, SignatureVerdict};

/// What an answer lacks; None where it is not JSON at all.
pub(crate) fn unmet(unmet: Option<&Expectation>) -> String {
    let Some(Expectation { pointer, comparison, value }) = unmet else { return "the answer is not JSON".into() };
    match comparison {
        Comparison::Exists => format!("{pointer} is missing"),
        Comparison::Equals => format!("{pointer} is not {value}"),
        Comparison::Differs => format!("{pointer} is {value}"),
        Comparison::Contains => format!("{pointer} does not contain {value}"),
    }
}

/// Whose signature it is, or why it counts for nothing.
pub(crate) fn verdict(verdict: &SignatureVerdict) -> String {
    let url = &verdict.key_url;
    match verdict.kind {
        SignatureKind::Oss => format!("✓ signed by OSS (key {url})"),
        SignatureKind::Sandbox if url.contains("://gosspublic.alicdn.com/") => {
            format!("✓ signed with the key that was given, which is not the one that OSS publishes (key {url})")
        }
        SignatureKind::Sandbox => format!("✓ signed by the sandbox, not by OSS (key {url})"),
        SignatureKind::Missing => "✗ not signed: there is no authorization header".into(),
        SignatureKind::NoKey => "✗ no proof: x-oss-pub-key-url is missing, or is not the Base64 of an address".into(),
        SignatureKind::ForeignKey => format!("✗ no proof: anybody could have put the key at {url}, which is not Alibaba's"),
        SignatureKind::KeyUnreachable => {
            format!("✗ not known: the key at {url} could not be fetched; try again, or give it with --key FILE")
        }
        SignatureKind::Wrong => {
            "✗ the signature does not fit: path, query or body are not what was signed; compare them with the text below \
             (a proxy may have decoded the path, or the body was written anew)"
                .into()
        }
    }
}

pub(crate) fn is_good(verdict: &SignatureVerdict) -> bool {
    matches!(verdict.kind, SignatureKind::Oss | SignatureKind::Sandbox)
}

/// What was mended in a program, or could not be read.
pub(crate) fn note(note: &ImportNote) -> String {
    let about = &note.about;
    match note.trap {
        ImportTrap::EscapedQuotes => "backslashes before quotes were taken out".into(),
        ImportTrap::PrefixAdded => format!("\"x:\" was put in front of the variable \"{about}\""),
        ImportTrap::LowerCased => format!("the variable \"{about}\" was made lower case; OSS takes no capitals"),
        ImportTrap::UnusedVariable => format!("the variable \"{about}\" is not in the body, so nobody is told it"),
        ImportTrap::EmptyUrl => "the address is empty: with this program no callback is ever made".into(),
        ImportTrap::QueryMoved => format!("the query of the address was moved to its table {about}").trim_end().into(),
        ImportTrap::ReadLimit => "the program reads only the first bytes of the answer".into(),
        ImportTrap::SmallBuffer => "a fixed buffer of the program is too small for longer JSON".into(),
        ImportTrap::NotLiteral => format!("\"{about}\" is known only when the program runs; write its value yourself"),
        ImportTrap::SwitchAsText => format!("a switch was given as a text or number {about}").trim_end().into(),
        ImportTrap::BrokenSyntax => format!("a syntax error was read over: {about}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_lacks_is_said_as_the_window_says_it() {
        let window = include_str!("../../../../ui/src/i18n/en.answers.ts");
        let said = |key: &str| {
            let line =
                window.lines().find(|line| line.contains(&format!("\"unmet.{key}\""))).expect("a line of the window");
            let text = line.split_once(": \"").expect("a text").1.trim_end_matches("\",");
            text.replace("{pointer}", "/status").replace("{value}", "ok")
        };
        assert_eq!(unmet(None), said("notJson"));
        for (comparison, key) in [
            (Comparison::Exists, "exists"),
            (Comparison::Equals, "equals"),
            (Comparison::Differs, "differs"),
            (Comparison::Contains, "contains"),
        ] {
            let wanted = Expectation { pointer: "/status".into(), comparison, value: "ok".into() };
            assert_eq!(unmet(Some(&wanted)), said(key));
        }
    }
}
