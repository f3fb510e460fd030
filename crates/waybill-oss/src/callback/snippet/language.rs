//! Which language a pasted text is written in.

use super::{Language, headers, json};

/// What only one SDK's programs say. The one that stands first in the text decides, and of two at one
/// place the one that stands first here: imports stand in front of texts.
const SURE: [(Language, &str); 34] = [
    (Language::Android, "com.alibaba.sdk.android"),
    (Language::Android, "setCallbackParam"),
    (Language::Android, "setCallbackVars"),
    (Language::Android, "MapOf("),
    (Language::Android, "MapOf<"),
    (Language::Android, "mapOf("),
    (Language::Android, "mapOf<"),
    (Language::Java, "com.aliyun.oss"),
    (Language::Java, "setCallbackUrl"),
    (Language::Java, "setCallbackBody"),
    (Language::Java, "addCallbackVar("),
    (Language::Cpp, "alibabacloud/oss"),
    (Language::Cpp, "AlibabaCloud::OSS"),
    (Language::Cpp, "ObjectCallbackBuilder"),
    (Language::Cpp, "ObjectCallbackVariableBuilder"),
    (Language::CSharp, "using Aliyun.OSS"),
    (Language::CSharp, "CallbackHeaderBuilder"),
    (Language::CSharp, "CallbackVariableHeaderBuilder"),
    (Language::C, "oss_api.h"),
    (Language::C, "aos_"),
    (Language::C, "apr_table_set"),
    (Language::Php, "<?php"),
    (Language::Php, "OssClient::OSS_CALLBACK"),
    (Language::Ruby, "aliyun/oss"),
    (Language::Ruby, "Aliyun::OSS"),
    (Language::Python, "import oss2"),
    (Language::Python, "oss2."),
    (Language::NodeJs, "ali-oss"),
    (Language::NodeJs, "customValue"),
    (Language::Ios, "AliyunOSSiOS"),
    (Language::Ios, "OSSPutObjectRequest"),
    (Language::Ios, "@\"callbackUrl\""),
    (Language::Rest, "x-oss-callback:"),
    (Language::Rest, "x-oss-callback-var:"),
];

/// What parts of programs say, for want of something better.
const LIKELY: [(Language, &str); 19] = [
    // Kotlin assigns it too, but calls a map maker.
    (Language::Ios, "callbackParam ="),
    (Language::Android, "put(\"callbackUrl\""),
    (Language::Android, "put(\"callbackBody\""),
    (Language::Php, "'callbackUrl' =>"),
    (Language::Php, "'callbackUrl'=>"),
    (Language::Php, "\"callbackUrl\" =>"),
    (Language::Php, "<<<"),
    (Language::Php, "json_encode"),
    (Language::Ruby, "Callback.new"),
    (Language::Python, "['callbackUrl'] ="),
    (Language::Python, "[\"callbackUrl\"] ="),
    (Language::Python, "json.dumps"),
    (Language::Python, "b64encode"),
    (Language::C, "\\\"callbackUrl\\\""),
    (Language::NodeJs, "contentType:"),
    (Language::NodeJs, "JSON.stringify"),
    (Language::NodeJs, "callbackUrl:"),
    (Language::NodeJs, "url:"),
    (Language::Php, "$"),
];

/// How programs begin. Pages show one after the other.
const BEGINNINGS: [(Language, &str); 13] = [
    (Language::Java, "import com.aliyun.oss"),
    (Language::Android, "import com.alibaba.sdk.android"),
    (Language::Php, "<?php"),
    (Language::NodeJs, "const OSS = require"),
    (Language::NodeJs, "const oss = require"),
    (Language::Python, "import oss2"),
    (Language::CSharp, "using System;"),
    (Language::CSharp, "using Aliyun.OSS"),
    (Language::Cpp, "#include <alibabacloud"),
    (Language::C, "#include \"oss_api.h\""),
    (Language::Ruby, "require 'aliyun/oss'"),
    (Language::Ios, "#import <AliyunOSSiOS"),
    (Language::Ios, "OSSPutObjectRequest"),
];

/// The text up to where a program in another language begins.
pub(super) fn first_program(text: &str, language: Language) -> &str {
    let own = SURE.iter().filter(|(known, _)| *known == language).filter_map(|(_, mark)| text.find(mark)).min();
    let from = own.unwrap_or_default();
    let begins = |(at, _): &(usize, &str)| {
        let line = &text[from + at + 1..];
        BEGINNINGS.iter().any(|(known, beginning)| *known != language && line.starts_with(beginning))
    };
    text[from..].match_indices('\n').find(begins).map_or(text, |(at, _)| &text[..=from + at])
}

pub(super) fn recognise(text: &str) -> Language {
    if headers::document(text.trim_start()).is_some() {
        return Language::Rest;
    }
    let first = |marks: &[(Language, &str)]| {
        let found = marks.iter().filter_map(|(language, mark)| Some((find(text, mark, *language)?, *language)));
        found.min_by_key(|(at, _)| *at).map(|(_, language)| language)
    };
    first(&SURE).unwrap_or_else(|| {
        let whole = json::object(text.trim()).is_some() || text.trim_start().starts_with("curl");
        if whole { Language::Rest } else { first(&LIKELY).unwrap_or(Language::Rest) }
    })
}

/// Headers are written in any case.
fn find(text: &str, mark: &str, language: Language) -> Option<usize> {
    match language {
        Language::Rest => text.to_ascii_lowercase().find(mark),
        _ => text.find(mark),
    }
}
