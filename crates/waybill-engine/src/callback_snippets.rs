//! From what was read of a pasted program to what the window is told.

use waybill_oss::callback_snippet::{Imported, Language, Trap};
use waybill_oss::{BodyType, CallbackSpec};

use crate::view::{BodyKind, CallbackProfileForm, ImportNote, ImportTrap, ImportedCallback, SnippetLanguage, Variable};

/// What a pasted text became.
pub(crate) fn imported(read: Imported) -> ImportedCallback {
    ImportedCallback {
        language: shown(read.language),
        form: form_of(read.spec),
        notes: read.notes.into_iter().map(|note| ImportNote { trap: trap(note.trap), about: note.about }).collect(),
    }
}

/// The language that is to be written.
pub(crate) fn language(wanted: SnippetLanguage) -> Language {
    // Every language is shown as one.
    Language::ALL.into_iter().find(|language| shown(*language) == wanted).unwrap_or(Language::Rest)
}

fn form_of(spec: CallbackSpec) -> CallbackProfileForm {
    let rows = |pairs: Vec<(String, String)>| {
        pairs.into_iter().map(|(name, value)| Variable { name, value }).collect::<Vec<_>>()
    };
    CallbackProfileForm {
        urls: spec.urls,
        host: spec.host.unwrap_or_default(),
        body: spec.body,
        body_type: match spec.body_type {
            BodyType::Form => BodyKind::Form,
            BodyType::Json => BodyKind::Json,
        },
        sni: spec.sni,
        variables: rows(spec.variables.into_iter().collect()),
        query: rows(spec.query.into_iter().collect()),
        headers: rows(spec.additional_headers.into_iter().collect()),
        ..CallbackProfileForm::default()
    }
}

fn shown(language: Language) -> SnippetLanguage {
    match language {
        Language::Java => SnippetLanguage::Java,
        Language::Php => SnippetLanguage::Php,
        Language::NodeJs => SnippetLanguage::NodeJs,
        Language::Python => SnippetLanguage::Python,
        Language::CSharp => SnippetLanguage::CSharp,
        Language::Android => SnippetLanguage::Android,
        Language::Ios => SnippetLanguage::Ios,
        Language::Cpp => SnippetLanguage::Cpp,
        Language::C => SnippetLanguage::C,
        Language::Ruby => SnippetLanguage::Ruby,
        Language::Rest => SnippetLanguage::Rest,
    }
}

fn trap(trap: Trap) -> ImportTrap {
    match trap {
        Trap::EscapedQuotes => ImportTrap::EscapedQuotes,
        Trap::PrefixAdded => ImportTrap::PrefixAdded,
        Trap::LowerCased => ImportTrap::LowerCased,
        Trap::UnusedVariable => ImportTrap::UnusedVariable,
        Trap::EmptyUrl => ImportTrap::EmptyUrl,
        Trap::QueryMoved => ImportTrap::QueryMoved,
        Trap::ReadLimit => ImportTrap::ReadLimit,
        Trap::SmallBuffer => ImportTrap::SmallBuffer,
        Trap::NotLiteral => ImportTrap::NotLiteral,
        Trap::SwitchAsText => ImportTrap::SwitchAsText,
        Trap::BrokenSyntax => ImportTrap::BrokenSyntax,
    }
}

#[cfg(test)]
mod tests {
    use waybill_oss::callback_snippet;

    use super::*;

    #[test]
    fn a_profile_written_in_each_language_is_read_again_as_it_was() {
        let row = |name: &str, value: &str| Variable { name: name.into(), value: value.into() };
        let form = CallbackProfileForm {
            urls: vec!["https://app.example.com/cb".into()],
            host: "app.example.com".into(),
            body: r#"{"object":${object},"no":${x:no}}"#.into(),
            body_type: BodyKind::Json,
            sni: true,
            variables: vec![row("x:no", "7")],
            ..CallbackProfileForm::default()
        };
        for wanted in Language::ALL {
            let spec = crate::callback_profile::as_written(&form);
            let text = callback_snippet::export(&spec, language(shown(wanted))).expect("written");
            let read = imported(callback_snippet::import(&text).expect("read"));
            assert_eq!((read.language, &read.form), (shown(wanted), &form), "{text}");
        }
    }
}
