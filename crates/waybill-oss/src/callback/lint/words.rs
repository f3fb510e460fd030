//! Each finding in English, for the command line.

use std::fmt;

use super::super::spec::LONGEST;
use super::{Field, Finding, Level, Rule};

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = &self.about;
        match self.rule {
            Rule::EmptyUrl => write!(f, "There is no address, so OSS calls nobody and does not say so."),
            Rule::TooManyUrls => write!(f, "There are {about} addresses; OSS takes five at most."),
            Rule::BadUrl => write!(
                f,
                "“{about}” is not an http or https address with a host that OSS can find; give each address by itself."
            ),
            Rule::BadPort => write!(f, "The port “{about}” is not a number from 1 to 65535."),
            Rule::Ipv6Address => {
                write!(f, "OSS does not call the IPv6 address “{about}”; use a name or an IPv4 address.")
            }
            Rule::PrivateAddress => {
                write!(f, "OSS calls from the internet and refuses “{about}”; use a public address.")
            }
            Rule::ResolvesPrivate => write!(
                f,
                "Seen from here, {about} is private or IPv6 only; if OSS sees the same, it refuses it. Use a public name."
            ),
            Rule::NotEncoded => {
                write!(f, "“{about}” is not percent-encoded; it is sent encoded, and encodes once what is not yet.")
            }
            Rule::Fragment => write!(f, "What stands behind the # of “{about}” is never sent."),
            Rule::HttpsWithoutSni => write!(
                f,
                "Switch SNI on for “{about}”, or a host with several names may answer with a wrong certificate."
            ),
            Rule::BadHost => {
                write!(f, "“{about}” is not a host: write a name and, where needed, a port, nothing else.")
            }
            Rule::BadHeader if self.level == Level::Warning => {
                write!(f, "OSS writes the header “{about}” itself, so yours may not be sent; take it out.")
            }
            Rule::BadHeader if self.row == Some(10) && about.parse::<usize>().is_ok() => {
                write!(f, "There are {about} additional headers; OSS takes ten at most.")
            }
            Rule::BadHeader => write!(
                f,
                "OSS does not take the header “{about}”: letters, digits and hyphens, once, not beginning with “x-oss-”, \
                 and no line break in its value."
            ),
            Rule::EmptyBody => write!(f, "The body is empty; write what your server is to be told."),
            Rule::LoneDollar => {
                write!(f, "The “$” of “{about}” begins no “${{variable}}”, so OSS refuses the whole body.")
            }
            Rule::UnknownVariable => match &self.meant {
                Some(meant) => write!(f, "OSS knows no variable “${{{about}}}”; did you mean “${{{meant}}}”?"),
                None => write!(f, "OSS knows no variable “${{{about}}}”; your own begin with “x:”."),
            },
            Rule::MissingPrefix => {
                let meant = self.meant.as_deref().unwrap_or_default();
                write!(f, "“${{{about}}}” is your own variable: write “${{{meant}}}”.")
            }
            Rule::UndefinedVariable => write!(f, "The body names “${{{about}}}”, which has no value."),
            Rule::UnusedVariable => write!(f, "The variable “{about}” is not in the body, so nobody is told it."),
            Rule::UpperCaseName => write!(f, "The variable name “{about}” must be in lower case."),
            Rule::UnusualName if self.level == Level::Error => {
                write!(f, "The variable name “{about}” must be lower-case letters, digits and underscores.")
            }
            Rule::UnusualName => {
                write!(f, "OSS may refuse the variable name “{about}”; use lower-case letters, digits and underscores.")
            }
            Rule::DuplicateName => {
                write!(f, "The variable “{about}” is set twice, with and without its “x:”; take one out.")
            }
            Rule::QuotedVariable => {
                write!(f, "Take the quotes away from “${{{about}}}”: in a JSON body OSS writes its value with quotes.")
            }
            Rule::EscapedQuotes => {
                write!(
                    f,
                    "The backslashes before the quotes belong to the source code this was copied from; take them out."
                )
            }
            Rule::NotJson => write!(f, "The body is no JSON once its variables are filled in: {about}."),
            Rule::TooLong => {
                let what = if self.field == Field::Variables { "variables" } else { "settings" };
                write!(f, "The {what} take {about} bytes once encoded; OSS takes {LONGEST}.")
            }
            Rule::RegionWithoutCallbacks => {
                write!(
                    f,
                    "Alibaba's list of regions with callbacks does not name “{about}”; a callback may fail there."
                )
            }
            Rule::ReadLimit => write!(
                f,
                "If every address is slow, OSS answers after {about} s, when the upload no longer waits; give fewer."
            ),
            Rule::StoredAndMore => write!(
                f,
                "The bucket's stored callback “{about}” says everything itself: take out the rest, or its name."
            ),
        }
    }
}
