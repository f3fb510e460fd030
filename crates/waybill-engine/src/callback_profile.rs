//! From a callback profile (what the user wrote) to what OSS is asked for one upload.

use jiff::Zoned;
use jiff::tz::TimeZone;
use waybill_oss::{BodyType, CallbackSpec};

use crate::error::Error;
use crate::key_template::{FileFacts, UploadFacts, render};
use crate::store::uploads::UploadRecord;
use crate::view::{BodyKind, CallbackProfileForm, CallbackRequestView, Variable};

/// The upload that a callback speaks of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CalledFor<'a> {
    pub(crate) key: &'a str,
    pub(crate) no: i64,
    pub(crate) batch: i64,
    pub(crate) queued_ms: i64,
    pub(crate) size_bytes: i64,
}

impl<'a> From<&'a UploadRecord> for CalledFor<'a> {
    fn from(record: &'a UploadRecord) -> Self {
        let UploadRecord { key, no, batch, created_ms, size_bytes, .. } = record;
        CalledFor { key, no: *no, batch: *batch, queued_ms: *created_ms, size_bytes: *size_bytes }
    }
}

/// Fills in the templates of the `x:` variables. The same upload always gets the same spec, so that a resume asks for
/// the same callback.
///
/// # Errors
/// `Invalid` for a template that cannot be filled in.
pub(crate) fn spec_for(profile: &CallbackProfileForm, told: CalledFor<'_>) -> Result<CallbackSpec, Error> {
    let queued = jiff::Timestamp::from_millisecond(told.queued_ms)
        .map(|at| at.to_zoned(TimeZone::system()))
        .unwrap_or_else(|_| Zoned::now());
    let upload = Some(UploadFacts { no: told.no, batch: told.batch, size_bytes: told.size_bytes });
    let facts = FileFacts { relative: told.key, queued: &queued, upload };
    let variables = profile
        .variables
        .iter()
        .map(|variable| Ok((variable.name.clone(), render(&variable.value, &facts)?)))
        .collect::<Result<_, Error>>()?;
    Ok(CallbackSpec { variables, ..as_written(profile) })
}

/// The profile as it was written, the templates of its variables not filled in.
pub(crate) fn as_written(profile: &CallbackProfileForm) -> CallbackSpec {
    CallbackSpec {
        urls: profile.urls.clone(),
        host: Some(profile.host.clone()).filter(|host| !host.is_empty()),
        body: profile.body.clone(),
        body_type: match profile.body_type {
            BodyKind::Form => BodyType::Form,
            BodyKind::Json => BodyType::Json,
        },
        sni: profile.sni,
        query: pairs(&profile.query).collect(),
        additional_headers: pairs(&profile.headers).collect(),
        policy: None,
        variables: profile.variables.iter().map(|row| (row.name.clone(), row.value.clone())).collect(),
    }
}

fn pairs(rows: &[Variable]) -> impl Iterator<Item = (String, String)> {
    rows.iter().filter(|row| !row.name.is_empty()).map(|row| (row.name.clone(), row.value.clone()))
}

/// As [`spec_for`], and refused now rather than after 100 GB: the filled-in variables may not fit where the templates did.
///
/// # Errors
/// `Invalid`, or what the encoder says.
pub(crate) fn checked_spec(
    profile: Option<&CallbackProfileForm>,
    told: CalledFor<'_>,
) -> Result<Option<CallbackSpec>, Error> {
    let spec = profile.map(|profile| spec_for(profile, told)).transpose()?;
    if let Some(spec) = &spec {
        spec.encode()?;
    }
    Ok(spec)
}

/// Refuses a profile that OSS would refuse, before anything is queued with it.
///
/// # Errors
/// `Invalid`, or what the encoder says.
pub(crate) fn check(profile: &CallbackProfileForm) -> Result<(), Error> {
    spec_for(profile, CalledFor { key: "folder/name.ext", no: 1, batch: 1, queued_ms: 0, size_bytes: 0 })?.encode()?;
    Ok(())
}

/// The request as the inspector shows it.
pub(crate) fn request_view(spec: &CallbackSpec) -> CallbackRequestView {
    CallbackRequestView {
        urls: spec.urls.clone(),
        query: spec.query.iter().map(|(name, value)| variable((name, value))).collect(),
        host: spec.host.clone(),
        headers: spec.additional_headers.iter().map(variable).collect(),
        body_type: match spec.body_type {
            BodyType::Form => "application/x-www-form-urlencoded",
            BodyType::Json => "application/json",
        }
        .to_owned(),
        body: spec.body.clone(),
        variables: spec.variables.iter().map(variable).collect(),
        sni: spec.sni,
    }
}

fn variable((name, value): (&String, &String)) -> Variable {
    Variable { name: name.clone(), value: value.clone() }
}
