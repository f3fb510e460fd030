//! Literals of each language, read as their compilers read them.

use super::*;

fn text(language: Language, written: &str) -> String {
    let (literal, length) = read(language, written).unwrap_or_else(|| panic!("{written} is a literal"));
    assert_eq!((length, literal.open), (written.len(), false), "{written}");
    literal.text
}

#[test]
fn escapes_mean_what_each_language_means_by_them() {
    use Language as L;
    for (language, written, meant) in [
        (L::Java, r#""a\"\\\u4e2d\t\101""#, "a\"\\中\tA"),
        (L::Java, "\"\"\"\n{\"a\":\\\"}\"\"\"", "\n{\"a\":\"}"),
        (L::Java, r#""\ud83d\ude00""#, "😀"),
        (L::CSharp, r#"@"a\""b""#, "a\\\"b"),
        (L::CSharp, r#""\x41B""#, "\u{41b}"),
        (L::CSharp, "\"\"\"a\"b\"\"\"", "a\"b"),
        (L::C, r#""\344\270\255\?\x41""#, "中?A"),
        (L::Cpp, "R\"x(a\\\")b)x\"", "a\\\")b"),
        (L::Ios, r#"@"a\"b""#, "a\"b"),
        (L::Php, r"'${a}\'\\\n'", r"${a}'\\n"),
        (L::Php, r#""\$a\'\n\x41\u{4e2d}""#, "$a\\'\nA中"),
        (L::Php, "<<<'JSON'\n{\"a\": \"JSON ${b}\"}\n  JSON", "\n{\"a\": \"JSON ${b}\"}"),
        (L::NodeJs, r"'\'\x41\u{1f600}\/'", "'A😀/"),
        (L::NodeJs, r"`a\${b}`", "a${b}"),
        (L::Python, r#"'\'\"\d\x41'"#, "'\"\\dA"),
        (L::Python, r"r'\'\n'", r"\'\n"),
        (L::Python, "'''a'b\n'''", "a'b\n"),
        (L::Ruby, r"'#{a}\'\n'", r"#{a}'\n"),
        (L::Ruby, r#""\#{a}\n\e""#, "#{a}\n\u{1b}"),
    ] {
        assert_eq!(text(language, written), meant, "{written}");
    }
}

#[test]
fn what_the_program_fills_in_is_named() {
    use Language as L;
    for (language, written, piece) in [
        (L::Php, "\"b=${bucket}\"", "${bucket}"),
        (L::Php, "\"b=$bucket&\"", "$bucket"),
        (L::Php, "\"b={$a['b']}\"", "{$a['b']}"),
        (L::NodeJs, "`b=${bucket}`", "${bucket}"),
        (L::Python, "f'{host}/cb'", "{host}"),
        (L::CSharp, "$\"{{}}{host}/cb\"", "{host}"),
        (L::Ruby, "\"#{host}/cb\"", "#{host}"),
    ] {
        let (literal, _) = read(language, written).expect("a literal");
        assert_eq!(literal.computed.as_deref(), Some(piece), "{written}");
    }
    let (literal, _) = read(L::NodeJs, "'b=${bucket}'").expect("a literal");
    assert_eq!(literal.computed, None);
}

#[test]
fn a_missing_quote_ends_with_its_line() {
    let (literal, length) = read(Language::Ios, "\"];\nnext").expect("a literal");
    assert_eq!((literal.text.as_str(), literal.open, length), ("];", true, 3));
    let (literal, _) = read(Language::Java, "'t is no text").expect("an apostrophe");
    assert!(!literal.open);
}
