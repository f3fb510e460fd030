//! What is said outside the window: in the window's language once it has told us which that is, in the system's before.

use waybill_engine::{Code, Error};

/// The languages that Waybill speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// For everybody else.
    English,
    /// Simplified.
    Chinese,
}

impl Language {
    /// The first that the system asks for.
    pub(crate) fn of_system() -> Self {
        Language::of(sys_locale::get_locales())
    }

    /// The one that the window speaks, by its tag.
    pub(crate) fn of_window(tag: String) -> Self {
        Language::of([tag])
    }

    fn of(wanted: impl IntoIterator<Item = String>) -> Self {
        let known = |tag: String| match tag.get(..2)?.to_ascii_lowercase().as_str() {
            "zh" => Some(Language::Chinese),
            "en" => Some(Language::English),
            _ => None,
        };
        wanted.into_iter().find_map(known).unwrap_or(Language::English)
    }

    /// Title and text of the message that the program cannot start.
    pub(crate) fn cannot_start(self, error: &Error) -> (&'static str, String) {
        let detail = sentence(&error.to_string());
        match self {
            Language::English => ("Waybill cannot start", detail),
            Language::Chinese => {
                ("Waybill 无法启动", format!("{}\n\n详细信息：{detail}", cause_and_cure(error.code())))
            }
        }
    }

    /// The tray's lines: open, pause all, resume all, quit.
    pub(crate) fn tray(self) -> [&'static str; 4] {
        match self {
            Language::English => ["Open Waybill", "Pause all", "Resume all", "Quit"],
            Language::Chinese => ["打开 Waybill", "全部暂停", "全部继续", "退出"],
        }
    }

    /// What came of a batch.
    pub(crate) fn ended(self, stored: i64, callback_failed: i64, failed: i64) -> String {
        let (words, between) = match self {
            Language::English => {
                let callbacks = if callback_failed == 1 { "callback" } else { "callbacks" };
                (
                    [
                        format!("{stored} stored"),
                        format!("{callback_failed} {callbacks} failed"),
                        format!("{failed} failed"),
                    ],
                    ", ",
                )
            }
            Language::Chinese => (
                [format!("{stored} 个已存入"), format!("{callback_failed} 个回调失败"), format!("{failed} 个失败")],
                "，",
            ),
        };
        let said = [true, callback_failed > 0, failed > 0];
        let parts: Vec<String> = words.into_iter().zip(said).filter_map(|(word, said)| said.then_some(word)).collect();
        parts.join(between)
    }
}

/// In Chinese, as the window says it.
fn cause_and_cure(code: Code) -> &'static str {
    match code {
        Code::DataFolderInUse => "另一个 Waybill 正在使用此数据文件夹。请使用另一个窗口或命令，或先将其结束。",
        Code::DiskFull => "Waybill 数据文件夹所在的磁盘已满。请释放此磁盘的空间，然后重新启动 Waybill。",
        Code::ReadOnly => "无法写入 Waybill 的数据文件夹。请允许写入，然后重新启动 Waybill。",
        Code::Damaged => "Waybill 的数据库已损坏。文件是安全的，已存入 OSS 的内容仍然保留。",
        _ => "无法使用数据文件夹。请检查其剩余空间和权限，然后重新启动 Waybill。",
    }
}

/// An error's phrase as people read it in a window of its own.
fn sentence(phrase: &str) -> String {
    let mut letters = phrase.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_becomes_a_sentence() {
        assert_eq!(sentence("the data folder is in use"), "The data folder is in use.");
        assert_eq!(sentence("Full already."), "Full already.");
        assert_eq!(sentence(""), ".", "an error without words is still no panic");
    }

    #[test]
    fn the_first_language_that_we_speak_counts() {
        for (wanted, expected) in [
            (&["zh-CN", "en-US"][..], Language::Chinese),
            (&["de-DE", "zh-Hant-TW", "en"], Language::Chinese),
            (&["en-GB", "zh-CN"], Language::English),
            (&["de-DE"], Language::English),
            (&["", "C", "ZH"], Language::Chinese),
            (&["中文"], Language::English),
            (&[], Language::English),
        ] {
            assert_eq!(Language::of(wanted.iter().map(|tag| (*tag).to_owned())), expected, "{wanted:?}");
        }
    }

    #[test]
    fn what_the_window_calls_its_languages_is_understood() {
        let source = include_str!("../../ui/src/i18n/index.svelte.ts");
        assert!(source.contains(r#"export type Language = "en" | "zh-CN";"#), "the window speaks other languages now");
        assert_eq!(Language::of_window("en".into()), Language::English);
        assert_eq!(Language::of_window("zh-CN".into()), Language::Chinese);
    }

    #[test]
    fn a_start_that_fails_says_cause_and_cure_in_chinese_too() {
        let error = Error::Store { code: Code::DataFolderInUse, message: "/home/mei/waybill is in use".into() };
        assert_eq!(
            Language::English.cannot_start(&error),
            ("Waybill cannot start", "/home/mei/waybill is in use.".into())
        );
        let (title, text) = Language::Chinese.cannot_start(&error);
        assert_eq!(title, "Waybill 无法启动");
        assert!(text.starts_with("另一个 Waybill") && text.ends_with("/home/mei/waybill is in use."), "{text}");
    }

    #[test]
    fn the_end_of_a_batch_is_one_sentence() {
        assert_eq!(Language::English.ended(3, 1, 0), "3 stored, 1 callback failed");
        assert_eq!(Language::English.ended(0, 2, 4), "0 stored, 2 callbacks failed, 4 failed");
        assert_eq!(Language::Chinese.ended(3, 1, 2), "3 个已存入，1 个回调失败，2 个失败");
    }
}
