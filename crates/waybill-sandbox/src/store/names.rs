//! From an object key to a file name: the key itself where it can be one, an escaped form where not.

use sha2::{Digest, Sha256};

use crate::escape::{encode, hex_lower};

/// Folder of the escaped form, inside the bucket's folder.
pub(super) const ESCAPED_DIR: &str = ".escaped";
/// File systems stop at 255 bytes; some count encrypted names, which are longer.
const SEGMENT_LIMIT: usize = 140;
/// macOS stops at 1024 bytes for a whole path, and the folder of the data stands before the key.
const PATH_LIMIT: usize = 400;

/// Whether the key can be a relative path as it stands, on every system.
pub(super) fn is_plain(key: &str) -> bool {
    key.len() <= PATH_LIMIT && key.split('/').all(is_safe_segment)
}

/// A relative path for any key: readable at its head, told apart by a hash.
pub(super) fn escaped(key: &str) -> String {
    let mut readable = encode(key.as_bytes(), false);
    readable.truncate(80);
    format!("{ESCAPED_DIR}/{readable}~{}", &hash(key)[..32])
}

/// Name of the key's description.
pub(super) fn hash(key: &str) -> String {
    hex_lower(&Sha256::digest(key))
}

fn is_safe_segment(segment: &str) -> bool {
    !segment.is_empty()
        && segment.len() <= SEGMENT_LIMIT
        && !segment.chars().any(|c| c.is_control() || r#"<>:"\|?*"#.contains(c))
        && !segment.ends_with(['.', ' '])
        && !segment.eq_ignore_ascii_case(ESCAPED_DIR)
        && !is_device(segment)
}

/// Names that Windows keeps for devices, with or without an ending, with or without spaces before it (*Naming Files,
/// Paths, and Namespaces*).
fn is_device(segment: &str) -> bool {
    let stem = segment.split('.').next().unwrap_or_default().trim_end_matches(' ').to_ascii_uppercase();
    let numbered = |name: &str| {
        let mut rest = stem.strip_prefix(name).unwrap_or_default().chars();
        let number = rest.next().is_some_and(|c| c.is_ascii_digit() || "¹²³".contains(c));
        number && rest.next().is_none()
    };
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_keys_are_their_own_path() {
        for key in [
            "a",
            "dir/sub/example.txt",
            "目录/测试 文件.txt",
            ".hidden",
            "a+b%20c",
            "com10.txt",
            "com¹¹",
            "con$",
            "nul a.txt",
            "é😀",
        ] {
            assert!(is_plain(key), "{key}");
        }
    }

    #[test]
    fn a_key_that_would_leave_the_folder_or_be_no_file_name_is_escaped() {
        let (long, deep) = ("n".repeat(141), vec!["n"; 201].join("/"));
        for key in [
            "..",
            "a/../b",
            "./a",
            "a//b",
            "a/",
            "/a",
            "a\0b",
            "a\nb",
            "c:x",
            "a\\b",
            "a.",
            "a ",
            "NUL",
            "lpt1.txt",
            "CONIN$",
            "a/conout$.log",
            "COM¹",
            "lpt³.txt",
            "nul .txt",
            "com1  ",
            ".escaped/x",
            &long,
            &deep,
        ] {
            assert!(!is_plain(key), "{key:?}");
            let path = escaped(key);
            let name = path.strip_prefix(".escaped/").expect("in its folder");
            assert!(name.len() <= 113 && !name.contains(['/', '\\', ':']), "{path}");
        }
        assert_ne!(escaped("a/../b"), escaped("a/..%2Fb"));
        assert_ne!(escaped(&"x".repeat(1000)), escaped(&"x".repeat(1001)));
    }
}
