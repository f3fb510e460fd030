//! INI files as Alibaba's tools write them: any spelling of names, comments, quotes.

use std::collections::BTreeMap;
use std::path::Path;

use configparser::ini::Ini;

use super::super::answer::plain;
use super::super::failure::Failure;

/// A file's sections by their names in lower case, blanks as one.
pub(super) struct Sections(BTreeMap<String, Section>);

/// A section's values by their names in lower case.
#[derive(Default)]
pub(super) struct Section(BTreeMap<String, String>);

impl Sections {
    pub(super) fn parse(text: String, file: &Path) -> Result<Sections, Failure> {
        let mut ini = Ini::new();
        let mut rules = ini.defaults();
        // A URL has a colon and a secret may have a semicolon or a number sign.
        rules.delimiters = vec!['='];
        rules.enable_inline_comments = false;
        // Lines before the first section belong to none, in particular not to [default].
        rules.default_section = String::new();
        ini.load_defaults(rules);
        let parsed = ini.read(text);
        // The parser's words name lines, never their text.
        let parsed = parsed.map_err(|why| Failure::Setup(format!("The file {} is not INI: {why}.", file.display())))?;
        let mut sections = BTreeMap::<String, Section>::new();
        for (name, values) in parsed {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            let values = values.into_iter().filter_map(|(key, value)| Some((key, clean(&value?).to_owned())));
            sections.entry(name).or_default().0.extend(values.filter(|(_, value)| !value.is_empty()));
        }
        Ok(Sections(sections))
    }

    /// The section of this name, in whatever case.
    pub(super) fn get(&self, name: &str) -> Option<&Section> {
        self.0.get(&name.to_lowercase())
    }

    /// Sections named `prefix something`, by that something.
    pub(super) fn of_kind(&self, prefix: &str) -> impl Iterator<Item = (&str, &Section)> {
        let after = move |name: &'_ str| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(' '));
        self.0
            .iter()
            .filter(move |(name, _)| after(name))
            .map(move |(name, section)| (&name[prefix.len() + 1..], section))
    }
}

impl Section {
    /// The first of these that is there and not blank; `accessKeyID` is also found as `access_key_id`, `access-key-id`
    /// and so on.
    pub(super) fn value(&self, names: &[&str]) -> Option<String> {
        let wanted =
            |name: &&str| self.0.iter().find(|(key, _)| plain(key) == plain(name)).map(|(_, value)| value.clone());
        names.iter().find_map(wanted)
    }

    /// All pairs as they stand there, for sections whose names are data.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}

/// A value without a comment after it (a blank and `#` or `;`) and without quotes around it.
fn clean(value: &str) -> &str {
    let comment = value
        .char_indices()
        .find(|(at, c)| matches!(c, '#' | ';') && (*at == 0 || value[..*at].ends_with([' ', '\t'])));
    let value = comment.map_or(value, |(at, _)| &value[..at]).trim();
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(value).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Sections {
        Sections::parse(text.to_owned(), Path::new("f")).expect("INI")
    }

    #[test]
    fn comments_quotes_blanks_and_line_ends_are_no_part_of_a_value() {
        let text = "; first\r\n# second\r\n[ Profile   Dev ]\r\n  accessKeyID =  LTAI # mine\r\n\
                    access_key_secret= 'a#b;c=d' ; old\r\nsts-token=\t\r\nendpoint=\"https://h:8443\"\r\nlonely\r\n";
        let sections = parse(text);
        let section = sections.get("PROFILE dev").expect("section");
        assert_eq!(section.value(&["access_key_id"]).as_deref(), Some("LTAI"));
        assert_eq!(section.value(&["accessKeySecret"]).as_deref(), Some("a#b;c=d"));
        assert_eq!(section.value(&["stsToken"]), None);
        assert_eq!(section.value(&["host", "endpoint"]).as_deref(), Some("https://h:8443"));
        assert_eq!(section.value(&["lonely"]), None);
        assert_eq!(sections.of_kind("profile").map(|(name, _)| name).collect::<Vec<_>>(), ["dev"]);
    }

    #[test]
    fn what_is_no_ini_is_refused_without_its_text() {
        for text in ["[s3cr3t", "=s3cr3t"] {
            let words = Sections::parse(text.to_owned(), Path::new("conf")).err().expect("no INI").to_string();
            assert!(words.contains("conf is not INI: line 1") && !words.contains("s3cr3t"), "{words}");
        }
    }
}
