//! The first job without a window: a sandbox, one file in parts, and what the callback server answered.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::steps::{built, cargo, must, say};

const FILE_NAME: &str = "first-light.bin";
const FILE_BYTES: usize = 24 << 20;
const CALLBACK_BODY: &str =
    r#"{"bucket":${bucket},"object":${object},"size":${size},"crc64":${crc64},"from":${x:from}}"#;

/// Builds the `waybill` command and does the job. Everything lies in one folder that is kept.
pub(crate) fn run() -> Result<(), String> {
    must(&mut cargo(&["build", "--package", "waybill-cli"]), "cargo build (the first time takes a few minutes)")?;
    let folder = match std::env::var_os("WAYBILL_DATA_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => built("waybill")?.with_file_name("first-light"),
    };
    job(&folder)
}

/// The job itself, with the command as it is built.
pub(crate) fn job(folder: &Path) -> Result<(), String> {
    let waybill = built("waybill")?;
    let (source, objects) = (folder.join(FILE_NAME), folder.join("sandbox"));
    fs::create_dir_all(&objects)
        .and_then(|()| fs::write(&source, content()))
        .map_err(|error| format!("cannot prepare {}: {error}", folder.display()))?;

    say("\n── waybill sandbox");
    let sandbox = Sandbox::start(&objects)?;
    say(&format!("a local OSS answers at {}", text(&sandbox.info, "endpoint")?));

    say(&format!("\n── waybill upload {}", source.display()));
    let finished = upload(&waybill, folder, &source, &sandbox.info)?;
    let (bucket, key) = (text(&finished, "bucket")?, text(&finished, "key")?);
    let callback = finished.get("callback").cloned().unwrap_or_default();
    if callback.get("outcome").and_then(Value::as_str) != Some("answered") {
        return Err(format!("the file is stored, but its callback was not answered: {callback}"));
    }
    let object = find_object(&objects, &source)?;
    say(&format!("stored    oss://{bucket}/{key}, CRC-64 {}", shown(&finished, "crc64")));
    say(&format!("file      {}", object.display()));
    say(&format!("callback  {} from {}", shown(&callback, "status"), text(&sandbox.info, "callbackUrl")?));
    say(&pretty(text(&callback, "body")?));
    say("\nFirst light: the file is stored, and the callback server has answered.");
    Ok(())
}

/// Uploads in three parts; the answer is the line that the command prints for the finished file.
fn upload(waybill: &Path, folder: &Path, source: &Path, sandbox: &Value) -> Result<Value, String> {
    let output = Command::new(waybill)
        .arg("upload")
        .arg(source)
        .args(["--bucket", text(sandbox, "bucket")?, "--region", text(sandbox, "region")?])
        .args(["--endpoint", text(sandbox, "endpoint")?, "--callback-url", text(sandbox, "callbackUrl")?])
        .args(["--callback-body", CALLBACK_BODY, "--callback-body-type", "json", "--var", "from=xtask"])
        .args(["--part-size", "8MiB", "--json", "--data-dir"])
        .arg(folder)
        .env("OSS_ACCESS_KEY_ID", text(sandbox, "accessKeyId")?)
        .env("OSS_ACCESS_KEY_SECRET", text(sandbox, "accessKeySecret")?)
        .env_remove("OSS_SESSION_TOKEN")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start the upload: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("the upload failed ({}): {}", output.status, printed.trim()));
    }
    // A data folder that was used before may have had something to finish first; ours is the last line.
    let line = printed.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|error| format!("cannot read what the upload printed ({error}): {line}"))
}

/// The object on the sandbox's disk, found by what is in it: the proof that it is stored whole.
fn find_object(folder: &Path, source: &Path) -> Result<PathBuf, String> {
    let wanted = fs::read(source).map_err(|error| format!("cannot read {}: {error}", source.display()))?;
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.metadata().is_ok_and(|data| data.len() == wanted.len() as u64)
                && fs::read(&path).is_ok_and(|found| found == wanted)
            {
                return Ok(path);
            }
        }
    }
    Err(format!("no object below {} equals {}", folder.display(), source.display()))
}

/// Bytes that no compression shortens and no part repeats (xorshift).
fn content() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(FILE_BYTES);
    while bytes.len() < FILE_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str, String> {
    value.get(field).and_then(Value::as_str).ok_or_else(|| format!("{field} is missing in {value}"))
}

fn shown(value: &Value, field: &str) -> String {
    match value.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "?".into(),
    }
}

/// JSON as people read it, anything else as it came.
fn pretty(body: &str) -> String {
    serde_json::from_str::<Value>(body)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_needs_three_parts_of_8_mib_and_no_two_are_alike() {
        let content = content();
        assert_eq!(content.len(), 3 * (8 << 20));
        let parts: Vec<&[u8]> = content.chunks(8 << 20).collect();
        assert!(parts[0] != parts[1] && parts[1] != parts[2], "a part in the wrong place must show");
    }

    #[test]
    fn an_answer_that_is_not_json_is_shown_as_it_came() {
        assert_eq!(pretty("thank you"), "thank you");
        assert_eq!(pretty(r#"{"a":1}"#), "{\n  \"a\": 1\n}");
    }
}
