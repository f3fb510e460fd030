//! `waybill callback preview`: the request that OSS would make for a file, before anything is sent.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use waybill_engine::callback_desk::{self, PreviewWish};
use waybill_engine::view::{CallbackPreview, CarriedView, SampleSpan};

use super::profile::ProfileOptions;
use crate::terminal;
use crate::visible::{harmless, section};

#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    /// The file that would be uploaded; only its name and size are looked at.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The bucket; a sample if not given.
    #[arg(long)]
    bucket: Option<String>,
    /// The object key; the file's name if not given.
    #[arg(long)]
    key: Option<String>,
    /// The number that {uploadNo} stands for.
    #[arg(long, value_name = "N", default_value_t = 1)]
    upload_no: i64,
    /// The number that {batch.no} stands for.
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch_no: i64,
    /// Only the bytes of the body, samples filled in and not marked.
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    profile: ProfileOptions,
}

pub(crate) async fn run(data_dir: PathBuf, args: PreviewArgs) -> Result<ExitCode, String> {
    let form = args.profile.form(data_dir).await?;
    let wish = PreviewWish {
        path: args.file,
        key: args.key,
        bucket: args.bucket,
        upload_no: args.upload_no,
        batch_no: args.batch_no,
    };
    let preview = callback_desk::preview(&form, wish).map_err(|error| error.to_string())?;
    if args.raw {
        terminal::result_lines(&preview.body);
    } else if args.json {
        terminal::result_line(&serde_json::to_string(&preview).map_err(|error| error.to_string())?);
    } else {
        terminal::result_line(&harmless(page(&preview).trim_end()));
    }
    Ok(ExitCode::SUCCESS)
}

/// As it goes over the wire, then what the upload carries for it.
fn page(preview: &CallbackPreview) -> String {
    let mut page = format!("{}\n", preview.request_line);
    for header in &preview.headers {
        let _ = writeln!(page, "{}: {}", header.name, header.value); // a String takes everything
    }
    let _ = writeln!(page, "\n{}", marked(&preview.body, &preview.samples));
    if !preview.samples.is_empty() {
        section(&mut page, "‹name› is filled in by OSS; lengths count a sample in its place", "");
        page.truncate(page.trim_end().len());
        page.push('\n');
    }
    if !preview.decoded.is_empty() {
        let pairs = preview.decoded.iter().zip(samples_of_pairs(preview)).map(|(pair, sample)| match sample {
            Some(name) => format!("{} = ‹{name}›, for instance {}", pair.name, pair.value),
            None => format!("{} = {}", pair.name, pair.value),
        });
        section(&mut page, "Decoded", &pairs.collect::<Vec<_>>().join("\n"));
    }
    carried(&mut page, "x-oss-callback", &preview.callback);
    if let Some(variables) = &preview.callback_var {
        carried(&mut page, "x-oss-callback-var", variables);
    }
    page
}

fn carried(page: &mut String, name: &str, carried: &CarriedView) {
    let title = format!("{name}, {} of {} bytes", carried.bytes, carried.limit);
    section(page, &title, &format!("{}\n{}", carried.base64, carried.json));
}

/// The body with the name of each sample in its place.
fn marked(body: &str, samples: &[SampleSpan]) -> String {
    let units: Vec<u16> = body.encode_utf16().collect();
    let place = |at: i64| usize::try_from(at).unwrap_or_default().min(units.len());
    let (mut marked, mut behind) = (String::new(), 0);
    for sample in samples {
        let (start, end) = (place(sample.start).max(behind), place(sample.end));
        marked += &String::from_utf16_lossy(&units[behind..start]);
        marked += &format!("‹{}›", sample.name);
        behind = end.max(start);
    }
    marked + &String::from_utf16_lossy(&units[behind..])
}

/// For each pair of a form body the sample in it, if there is one.
fn samples_of_pairs(preview: &CallbackPreview) -> Vec<Option<&str>> {
    let mut start = 0;
    let mut found = Vec::new();
    for pair in preview.body.split('&') {
        let end = start + i64::try_from(pair.encode_utf16().count()).unwrap_or(i64::MAX);
        let inside = preview.samples.iter().find(|sample| (start..end).contains(&sample.start));
        if !pair.is_empty() {
            found.push(inside.map(|sample| sample.name.as_str()));
        }
        start = end + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_marked_where_they_stand_behind_what_takes_two_units() {
        let sample = |start, end, name: &str| SampleSpan { start, end, name: name.into() };
        assert_eq!(marked("𝄞=AB&é=C", &[sample(3, 5, "etag"), sample(8, 9, "crc64")]), "𝄞=‹etag›&é=‹crc64›");
        assert_eq!(marked("plain", &[]), "plain");
    }
}
