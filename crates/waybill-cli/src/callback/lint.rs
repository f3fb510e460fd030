//! `waybill callback lint`: what is wrong or odd about a profile, one finding a line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use waybill_engine::callback_desk::{self, LintWish};
use waybill_engine::view::{CallbackField, CallbackFinding, CallbackProfileForm, FindingLevel, Variable};

use super::profile::ProfileOptions;
use crate::terminal;
use crate::visible::one_line;

/// Below the options in `--help`.
const EXIT_CODES: &str = "\
Exit code:
  0  nothing was found
  1  an error: OSS would refuse it, or would call nobody (or the profile could not be read)
  2  warnings only: OSS takes it, but it seldom does what was meant";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct LintArgs {
    /// The bucket's region, for instance cn-hangzhou: some make no callbacks.
    #[arg(long)]
    region: Option<String>,
    /// Ask DNS whether the names in the addresses are private ones. Nothing else asks the network.
    #[arg(long)]
    resolve: bool,
    /// The sandbox will make the calls, so addresses on this computer are right.
    #[arg(long, conflicts_with_all = ["region", "resolve"])]
    local: bool,
    /// One line of JSON for each finding, with the whole profile after its cure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    profile: ProfileOptions,
}

pub(crate) async fn run(data_dir: PathBuf, args: LintArgs) -> Result<ExitCode, String> {
    let form = args.profile.form(data_dir).await?;
    let wish = LintWish { region: args.region, local: args.local, resolve: args.resolve };
    let findings = callback_desk::lint(&form, wish).await;
    let mut worst = findings.iter().map(|(finding, _)| finding.level).min();
    for (finding, words) in &findings {
        let line = if args.json { in_json(finding, words) } else { in_words(&form, finding, words) };
        if !terminal::result_line(&line) {
            break;
        }
    }
    // Templates of variables are not the linter's, and still would stop every upload.
    if let (true, Err(why)) = (worst != Some(FindingLevel::Error), callback_desk::check(&form)) {
        worst = Some(FindingLevel::Error);
        let why = why.to_string();
        let told = json!({"rule": "refused", "level": "error", "about": "", "field": "whole", "words": why});
        terminal::result_line(&if args.json {
            told.to_string()
        } else {
            one_line(&format!("error · profile · {why}"))
        });
    }
    Ok(ExitCode::from(match worst {
        None => 0,
        Some(FindingLevel::Error) => 1,
        Some(FindingLevel::Warning) => 2,
    }))
}

fn in_json(finding: &CallbackFinding, words: &str) -> String {
    let mut told = serde_json::to_value(finding).unwrap_or_default();
    if let Value::Object(told) = &mut told {
        told.insert("words".into(), words.into());
    }
    told.to_string()
}

fn in_words(form: &CallbackProfileForm, finding: &CallbackFinding, words: &str) -> String {
    let level = match finding.level {
        FindingLevel::Error => "error",
        FindingLevel::Warning => "warning",
    };
    let cure = finding.cured.as_ref().map(|cured| changes(form, cured)).filter(|changes| !changes.is_empty());
    let cure = cure.map(|changes| format!(" · cure: {}", changes.join("; "))).unwrap_or_default();
    one_line(&format!("{level} · {} · {words}{cure}", place(form, finding)))
}

/// The field as a person counts: rows and characters from 1.
fn place(form: &CallbackProfileForm, finding: &CallbackFinding) -> String {
    let row = finding.row.and_then(|row| usize::try_from(row).ok());
    let (name, text) = match finding.field {
        CallbackField::Url => ("URL", row.and_then(|row| form.urls.get(row))),
        CallbackField::Query => ("query", None),
        CallbackField::Host => ("host", Some(&form.host)),
        CallbackField::Body => ("body", Some(&form.body)),
        CallbackField::Headers => ("header", None),
        CallbackField::Variables => ("variable", None),
        CallbackField::Sni => ("SNI", None),
        CallbackField::Whole => ("profile", None),
    };
    let tables = [CallbackField::Url, CallbackField::Query, CallbackField::Headers, CallbackField::Variables];
    let mut place = name.to_owned();
    if let Some(row) = row.filter(|_| tables.contains(&finding.field)) {
        place += &format!(" {}", row + 1);
    }
    if let (Some(text), Some(start)) = (text, finding.start) {
        let units: Vec<u16> = text.encode_utf16().take(usize::try_from(start).unwrap_or_default()).collect();
        place += &format!(", character {}", String::from_utf16_lossy(&units).chars().count() + 1);
    }
    place
}

/// What a cure does to a profile.
fn changes(form: &CallbackProfileForm, cured: &CallbackProfileForm) -> Vec<String> {
    let mut changes = Vec::new();
    let mut becomes = |what: &str, before: &str, after: &str| {
        if before != after {
            changes.push(format!("{what} becomes {}", Value::from(after)));
        }
    };
    for (at, url) in form.urls.iter().enumerate().take(cured.urls.len()) {
        becomes(&format!("URL {}", at + 1), url, &cured.urls[at]);
    }
    becomes("host", &form.host, &cured.host);
    becomes("body", &form.body, &cured.body);
    if form.urls.len() > cured.urls.len() {
        changes.push(format!("{} URLs stay", cured.urls.len()));
    }
    if form.sni != cured.sni {
        changes.push(format!("SNI {}", if cured.sni { "on" } else { "off" }));
    }
    rows("variable", &form.variables, &cured.variables, &mut changes);
    rows("header", &form.headers, &cured.headers, &mut changes);
    changes
}

fn rows(what: &str, before: &[Variable], after: &[Variable], changes: &mut Vec<String>) {
    let only = |rows: &[Variable], others: &[Variable]| -> Vec<String> {
        let gone = rows.iter().filter(|row| !others.contains(row));
        gone.map(|row| format!("\"{}\"", row.name)).collect()
    };
    let (gone, new) = (only(before, after), only(after, before));
    match (gone.is_empty(), new.is_empty()) {
        (true, true) => {}
        (false, false) => changes.push(format!("{what} {} becomes {}", gone.join(", "), new.join(", "))),
        (false, true) => changes.push(format!("{what} {} goes", gone.join(", "))),
        (true, false) => changes.push(format!("{what} {} comes", new.join(", "))),
    }
}
