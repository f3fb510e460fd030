//! Whether the server received what was to be uploaded: every file once, whole, and asked for nothing it need not be.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

/// A set of files, and what is in them.
pub(crate) struct Manifest {
    /// Size and CRC-64 by key.
    files: BTreeMap<String, (u64, u64)>,
    pub(crate) bytes: u64,
}

impl Manifest {
    /// Reads what `waybill-bench data` wrote beside the folder; keys begin with the folder's name.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.with_extension("tsv");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let line = |line: &str| {
            let mut fields = line.split('\t');
            let key = format!("{name}/{}", fields.next()?);
            Some((key, (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?)))
        };
        let files: Option<BTreeMap<String, (u64, u64)>> = text.lines().map(line).collect();
        let files = files.ok_or_else(|| format!("{} is damaged; delete it to have it made again", path.display()))?;
        Ok(Self { bytes: files.values().map(|(size, _)| size).sum(), files })
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }
}

/// Requests by name, out of what the server says.
pub(crate) fn requests(received: &Value) -> BTreeMap<String, u64> {
    let counted = received["requests"].as_object().cloned().unwrap_or_default();
    counted.into_iter().filter_map(|(name, count)| Some((name, count.as_u64()?))).collect()
}

/// Every file is there once as it is on disk, and nothing else; nothing was refused or left half done.
pub(crate) fn check(received: &Value, manifest: &Manifest) -> Result<(), String> {
    let empty = Map::new();
    let objects = received["objects"].as_object().unwrap_or(&empty);
    for (key, (size, crc64)) in &manifest.files {
        let object = objects.get(key).ok_or_else(|| format!("{key} did not arrive"))?;
        if (object["size"].as_u64(), object["crc64"].as_u64()) != (Some(*size), Some(*crc64)) {
            return Err(format!("{key} arrived as {object}, not with {size} bytes and CRC-64 {crc64}"));
        }
        if object["times"] != 1 {
            return Err(format!("{key} was sent {} times", object["times"]));
        }
    }
    if objects.len() != manifest.len() {
        return Err(format!("{} objects arrived of {} files", objects.len(), manifest.len()));
    }
    let mut refused = received["refused"].as_object().cloned().unwrap_or_default();
    // Of a HEAD before the upload: a question too many perhaps, but no failure.
    refused.remove("NoSuchKey");
    if !refused.is_empty() || received["cut"] != 0 || received["openUploads"] != 0 {
        let (cut, open) = (&received["cut"], &received["openUploads"]);
        return Err(format!("refused {}, {cut} cut off, {open} left open", Value::Object(refused)));
    }
    Ok(())
}

/// One request for a file that goes whole, its parts and two for another; no HEAD, no listing, no Content-MD5.
pub(crate) fn check_lean(received: &Value, manifest: &Manifest) -> Result<(), String> {
    let requests = requests(received);
    let count = |name: &str| requests.get(name).copied().unwrap_or(0);
    let needed = ["PutObject", "InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload"];
    if let Some((name, count)) = requests.iter().find(|(name, _)| !needed.contains(&name.as_str())) {
        return Err(format!("{count} {name}, which no upload needs"));
    }
    let (initiated, completed) = (count("InitiateMultipartUpload"), count("CompleteMultipartUpload"));
    if initiated != completed || count("PutObject") + completed != manifest.len() as u64 {
        return Err(format!("more requests than needed: {requests:?}"));
    }
    match received["withContentMd5"].as_u64() {
        Some(0) => Ok(()),
        count => Err(format!("Content-MD5 on {} requests", count.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest() -> Manifest {
        let files = BTreeMap::from([("s/a".to_owned(), (3, 7)), ("s/b".to_owned(), (u64::from(u32::MAX), u64::MAX))]);
        Manifest { files, bytes: 0 }
    }

    fn received() -> Value {
        json!({
            "requests": { "PutObject": 1, "InitiateMultipartUpload": 1, "UploadPart": 4, "CompleteMultipartUpload": 1 },
            "objects": {
                "s/a": { "size": 3, "crc64": 7, "times": 1 },
                "s/b": { "size": u32::MAX, "crc64": u64::MAX, "times": 1 },
            },
            "refused": {}, "cut": 0, "openUploads": 0, "withContentMd5": 0,
        })
    }

    #[test]
    fn what_is_lost_damaged_doubled_strange_refused_or_left_open_is_told() {
        assert_eq!(check(&received(), &manifest()), Ok(()));
        let faults = [
            ("/objects/s~1a", Value::Null, "s/a"),
            ("/objects/s~1a/size", json!(4), "s/a"),
            ("/objects/s~1b/crc64", json!(u64::MAX - 1), "s/b"),
            ("/objects/s~1b/times", json!(2), "2 times"),
            ("/objects", json!({}), "s/a did not arrive"),
            ("/refused", json!({ "NoSuchUpload": 1, "NoSuchKey": 1 }), "{\"NoSuchUpload\":1}"),
            ("/cut", json!(1), "1 cut off"),
            ("/openUploads", json!(1), "1 left open"),
        ];
        for (place, value, told) in faults {
            let mut received = received();
            if let Some(there) = received.pointer_mut(place) {
                *there = value;
            }
            let words = check(&received, &manifest()).err().unwrap_or_default();
            assert!(words.contains(told), "{place}: {words}");
        }
        let mut strange = received();
        strange["objects"]["s/c"] = json!({ "size": 1, "crc64": 1, "times": 1 });
        assert!(check(&strange, &manifest()).is_err());
    }

    #[test]
    fn a_request_that_no_upload_needs_is_told() {
        assert_eq!(check_lean(&received(), &manifest()), Ok(()));
        for (place, name) in
            [("requests", "HeadObject"), ("requests", "PutObject"), ("requests", "InitiateMultipartUpload")]
        {
            let mut received = received();
            received[place][name] = json!(2);
            assert!(check_lean(&received, &manifest()).is_err(), "{name}");
        }
        let mut summed = received();
        summed["withContentMd5"] = json!(1);
        assert!(check_lean(&summed, &manifest()).is_err());
    }
}
