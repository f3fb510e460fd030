//! Templates for object keys and callback variables: `raw/{yyyy}/{mm}/{path}`.

use std::path::Path;

use jiff::Zoned;
use jiff::fmt::strtime;
use uuid::Uuid;

use crate::error::Error;

/// What a template can speak of.
#[derive(Clone, Debug)]
pub(crate) struct FileFacts<'a> {
    /// Path below what was dropped, with the dropped folder's own name, `/` between.
    pub(crate) relative: &'a str,
    /// Local date and time when it was queued.
    pub(crate) queued: &'a Zoned,
    /// None while the key is made.
    pub(crate) upload: Option<UploadFacts>,
}

/// What is known once a file is an upload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UploadFacts {
    /// Our number.
    pub(crate) no: i64,
    /// The number of the batch that it came in: one drop, one command, or what a watched folder found at once.
    pub(crate) batch: i64,
    pub(crate) size_bytes: i64,
}

/// Ids of uploads are made from what stays the same however often one is sent: whoever gets two calls with the same id has
/// been told the same thing twice.
const UPLOADS: Uuid = Uuid::from_u128(0x5f0c_4a5e_8a6e_4d0b_9a0e_6d1f_77a1_b111);

/// Fills in a template.
///
/// # Errors
/// `Invalid`, naming the placeholder that does not exist or the brace that is not closed.
pub(crate) fn render(template: &str, facts: &FileFacts<'_>) -> Result<String, Error> {
    let mut out = String::with_capacity(template.len() + facts.relative.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        // `${name}` is OSS's own and stays as it is.
        let ours = !rest[..open].ends_with('$');
        let close = rest[open..].find('}').map(|at| open + at);
        let Some(close) = close else {
            return Err(Error::Invalid(format!("the template \"{template}\" has a {{ without a }}")));
        };
        out.push_str(&rest[..open]);
        if ours {
            out.push_str(&value(&rest[open + 1..close], facts).ok_or_else(|| {
                Error::Invalid(format!("the template \"{template}\" has an unknown {}", &rest[open..=close]))
            })?);
        } else {
            out.push_str(&rest[open..=close]);
        }
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Refuses a template that cannot be filled in or cannot be an object key.
///
/// # Errors
/// `Invalid`.
pub(crate) fn check(template: &str) -> Result<(), Error> {
    let sample = FileFacts { relative: "folder/name.ext", queued: &Zoned::now(), upload: None };
    waybill_oss::ObjectKey::parse(&render(template, &sample)?)?;
    Ok(())
}

fn value(name: &str, facts: &FileFacts<'_>) -> Option<String> {
    let path = Path::new(facts.relative);
    let text =
        |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
    let date = |format: &str| facts.queued.strftime(format).to_string();
    Some(match name {
        "path" => facts.relative.to_owned(),
        "name" => text(path.file_name()),
        "stem" => text(path.file_stem()),
        "ext" => text(path.extension()),
        "folder" => path.parent().map(|parent| parent.to_string_lossy().into_owned()).unwrap_or_default(),
        "yyyy" => date("%Y"),
        "mm" => date("%m"),
        "dd" => date("%d"),
        "hh" => date("%H"),
        "uploadNo" => facts.upload?.no.to_string(),
        "batch.no" => facts.upload?.batch.to_string(),
        "size" => facts.upload?.size_bytes.to_string(),
        "uuid" => {
            let what = format!("{}/{}/{}", facts.upload?.no, facts.queued.timestamp().as_millisecond(), facts.relative);
            Uuid::new_v5(&UPLOADS, what.as_bytes()).to_string()
        }
        _ => return strtime::format(name.strip_prefix("date:")?, facts.queued).ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: Result<&str, &str>) {
        let queued: Zoned = "2026-11-20T09:05:00[UTC]".parse().unwrap();
        let upload = Some(UploadFacts { no: 42, batch: 7, size_bytes: 2_480_343_613 });
        let facts = FileFacts { relative: "shoot/day 1/发布会.tar.gz", queued: &queued, upload };
        let got = render(template, &facts).map_err(|error| error.to_string());
        assert_eq!(got.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn placeholders_are_filled_in_and_oss_variables_left_alone() {
        check("raw/{yyyy}/{mm}/{path}", Ok("raw/2026/11/shoot/day 1/发布会.tar.gz"));
        check("{folder}|{name}|{stem}|{ext}", Ok("shoot/day 1|发布会.tar.gz|发布会.tar|gz"));
        check("${size}-{uploadNo} of {size}", Ok("${size}-42 of 2480343613"));
        check("{batch.no}/{uploadNo}", Ok("7/42"));
        check("{batch.name}", Err("the template \"{batch.name}\" has an unknown {batch.name}"));
        check("{date:%Y-%m-%d %H:%M}", Ok("2026-11-20 09:05"));
        check("{date:%!}", Err("the template \"{date:%!}\" has an unknown {date:%!}"));
    }

    #[test]
    fn the_id_of_an_upload_stays_and_is_no_others() {
        let queued: Zoned = "2026-11-20T09:05:00[UTC]".parse().unwrap();
        let id = |no, relative| {
            let upload = Some(UploadFacts { no, batch: 1, size_bytes: 1 });
            render("{uuid}", &FileFacts { relative, queued: &queued, upload }).unwrap()
        };
        assert_eq!(id(1, "a"), id(1, "a"));
        assert!(Uuid::parse_str(&id(1, "a")).is_ok());
        assert!(id(1, "a") != id(2, "a") && id(1, "a") != id(1, "b"));
    }

    #[test]
    fn an_unknown_placeholder_is_named() {
        check("{year}/x", Err("the template \"{year}/x\" has an unknown {year}"));
        check("a{", Err("the template \"a{\" has a { without a }"));
    }
}
