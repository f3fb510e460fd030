//! Callbacks as source text: read from what people paste, written as programs for the SDKs.
//!
//! [`import`] takes whole sample programs, parts of them, headers, JSON and Base64; [`export`] writes a program that asks
//! for exactly this callback. What was exported is imported again without a note, in its plain form: the query in its
//! table, the variables with their `x:`, addresses percent-encoded, names of headers in lower case.

mod android;
mod c;
mod cpp;
mod csharp;
mod draft;
mod fill;
mod glued;
mod headers;
mod ios;
mod java;
mod json;
mod language;
mod literal;
mod mend;
mod node;
mod notation;
mod parser;
mod payload;
mod php;
mod python;
mod quote;
mod rest;
mod ruby;
mod source;
mod tokens;
mod value;
mod wire;

use serde::{Deserialize, Serialize};

use super::spec::CallbackSpec;
use crate::error::Error;
use draft::Draft;
use source::Source;
use tokens::Kind;
use wire::Wire;

/// The longest text that is read; the longest of the published pages takes 28 KB.
const LONGEST: usize = 64 * 1024;

/// The kinds of source text that a callback is read from and written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Language {
    /// aliyun-oss-java-sdk.
    Java,
    /// aliyun-oss-php-sdk.
    Php,
    /// ali-oss.
    NodeJs,
    /// aliyun-oss-python-sdk (oss2).
    Python,
    /// aliyun-oss-csharp-sdk.
    CSharp,
    /// aliyun-oss-android-sdk.
    Android,
    /// aliyun-oss-ios-sdk.
    Ios,
    /// aliyun-oss-cpp-sdk.
    Cpp,
    /// aliyun-oss-c-sdk.
    C,
    /// aliyun-oss-ruby-sdk.
    Ruby,
    /// Headers, JSON, Base64 or a curl command.
    Rest,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 11] = [
        Language::Java,
        Language::Php,
        Language::NodeJs,
        Language::Python,
        Language::CSharp,
        Language::Android,
        Language::Ios,
        Language::Cpp,
        Language::C,
        Language::Ruby,
        Language::Rest,
    ];
}

/// What a pasted text became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What it was taken for.
    pub language: Language,
    /// The callback, its traps mended.
    pub spec: CallbackSpec,
    /// What was mended, or could not be read.
    pub notes: Vec<Note>,
}

/// Something about a pasted text that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What.
    pub trap: Trap,
    /// The name or text it is about; may be empty.
    pub about: String,
}

/// The traps of the published samples, and of what people make of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Trap {
    /// Backslashes before quotes were taken out.
    EscapedQuotes,
    /// `x:` was put in front of a variable.
    PrefixAdded,
    /// A variable's name was made lower case.
    LowerCased,
    /// A variable is defined and not used in the body.
    UnusedVariable,
    /// The address is empty: with this text no callback is ever made.
    EmptyUrl,
    /// Ruby's SDK refuses a query in the address.
    QueryMoved,
    /// The program reads only the first bytes of the answer.
    ReadLimit,
    /// A fixed buffer of the program is too small for longer JSON.
    SmallBuffer,
    /// Something stands where a text is wanted that only the running program knows.
    NotLiteral,
    /// A switch was given as a text or number.
    SwitchAsText,
    /// A syntax error was read over.
    BrokenSyntax,
}

/// Reads a callback from source text of any of the languages, or says that there is none ([`Error::Invalid`]).
pub fn import(text: &str) -> Result<Imported, Error> {
    if text.len() > LONGEST {
        return Err(Error::Invalid(format!(
            "The text takes {} bytes, and the longest that is read {LONGEST}: paste the part with the callback.",
            text.len()
        )));
    }
    let text = text.trim_start_matches('\u{feff}');
    let language = language::recognise(text);
    let mut draft = Draft::default();
    if language != Language::Rest {
        program(text, language, &mut draft);
    }
    if draft.found() {
        return draft.finish(language);
    }
    // No program, or one that only mentions a callback.
    let mut draft = Draft::default();
    headers::read(text, &mut draft);
    draft.finish(Language::Rest)
}

fn program(text: &str, language: Language, draft: &mut Draft) {
    let text = language::first_program(text, language);
    let source = Source::read(language, text);
    match language {
        Language::Java => java::read(&source, draft),
        Language::NodeJs => node::read(&source, draft),
        Language::CSharp => csharp::read(&source, draft),
        Language::Android => android::read(&source, draft),
        Language::Ios => ios::read(&source, draft),
        Language::Cpp => cpp::read(&source, draft),
        Language::C => c::read(&source, draft),
        Language::Ruby => ruby::read(&source, draft),
        Language::Php | Language::Python | Language::Rest => {}
    }
    payload::read(&source, draft);
    for token in &source.tokens {
        if matches!(&token.kind, Kind::Text(literal) if literal.open) {
            let line = text.lines().nth(token.line - 1).unwrap_or_default().trim();
            draft.note(Trap::BrokenSyntax, line.chars().take(80).collect::<String>());
        }
    }
}

/// Writes a program that uploads one object with this callback, or says what OSS would refuse ([`Error::Invalid`]).
pub fn export(spec: &CallbackSpec, language: Language) -> Result<String, Error> {
    let wire = Wire::of(spec)?;
    Ok(match language {
        Language::Java => java::write(&wire),
        Language::Php => php::write(&wire),
        Language::NodeJs => node::write(&wire),
        Language::Python => python::write(&wire),
        Language::CSharp => csharp::write(&wire),
        Language::Android => android::write(&wire),
        Language::Ios => ios::write(&wire),
        Language::Cpp => cpp::write(&wire),
        Language::C => c::write(&wire),
        Language::Ruby => ruby::write(&wire),
        Language::Rest => rest::write(&wire),
    })
}

#[cfg(test)]
#[path = "round_trip_tests.rs"]
mod round_trip_tests;
#[cfg(test)]
#[path = "seed_tests.rs"]
mod seed_tests;
#[cfg(test)]
#[path = "trap_tests.rs"]
mod trap_tests;
