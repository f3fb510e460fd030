//! The server's side of a TestBed: what it does wrong, what it was asked, what it still holds.

use std::collections::BTreeMap;
use std::path::Path;

use waybill_oss::{BucketName, Client, Credential, Endpoint, ObjectKey};
use waybill_sandbox::{Fault, FaultKind, LoggedRequest, Operation};

use crate::{LIMIT, TestBed};

/// The operations of an upload's life, in the order of a tally.
pub(crate) const COUNTED: [Operation; 7] = [
    Operation::PutObject,
    Operation::InitiateMultipartUpload,
    Operation::UploadPart,
    Operation::ListParts,
    Operation::CompleteMultipartUpload,
    Operation::AbortMultipartUpload,
    Operation::HeadObject,
];

impl TestBed {
    /// Plans misbehaviour.
    pub fn fault(&self, fault: Fault) {
        self.sandbox.faults().add(fault);
    }

    /// The next request of this operation is not answered until [`TestBed::release`] or until it is given up.
    pub fn hold(&self, operation: Operation) {
        self.fault(Fault::on(operation, FaultKind::Stall));
    }

    /// As [`TestBed::hold`], for one part.
    pub fn hold_part(&self, number: u32) {
        self.fault(Fault::on(Operation::UploadPart, FaultKind::Stall).part(number));
    }

    /// Waits until so many requests have met a fault since the start.
    pub async fn met(&self, faults: u64) {
        let met = self.sandbox.faults().wait_until_taken(faults, LIMIT).await;
        assert!(met, "only {} of {faults} faults were met: {:#?}", self.sandbox.faults().taken(), self.sandbox.log());
    }

    /// Forgets all faults and lets held requests go on.
    pub fn release(&self) {
        self.sandbox.faults().clear();
    }

    /// Waits until the server has seen that so many held requests were given up, and only then forgets the faults:
    /// a request that is let go before would still be carried out.
    pub async fn release_given_up(&self, requests: usize) {
        let given_up = |log: &[LoggedRequest]| {
            let held = |entry: &&LoggedRequest| entry.fault.as_deref() == Some("stall") && entry.status.is_none();
            log.iter().filter(held).count() == requests
        };
        self.logged("held requests given up", given_up).await;
        self.release();
    }

    /// Queues a file of six parts: four of them are stored, two are held by the server.
    pub async fn half_way(&self, path: &Path) -> i64 {
        let met = self.sandbox.faults().taken();
        self.hold_part(5);
        self.hold_part(6);
        let no = self.upload(path).await;
        self.until(no, "four parts of six", |details| details.row.parts_done == 4).await;
        self.met(met + 2).await;
        no
    }

    /// Waits until the log is as wanted.
    pub async fn logged(&self, what: &str, wanted: impl Fn(&[LoggedRequest]) -> bool) {
        if let Err(log) = self.sandbox.wait_for_log(wanted, LIMIT).await {
            panic!("the log never showed {what}: {log:#?}");
        }
    }

    /// Requests of one operation, oldest first.
    pub fn requests(&self, operation: Operation) -> Vec<LoggedRequest> {
        self.sandbox.log().into_iter().filter(|entry| entry.operation == operation).collect()
    }

    /// How many requests there were of each operation; those without any are left out.
    pub fn tally(&self) -> Vec<(Operation, usize)> {
        let log = self.sandbox.log();
        let count = |operation: Operation| log.iter().filter(|entry| entry.operation == operation).count();
        COUNTED.into_iter().map(|operation| (operation, count(operation))).filter(|(_, count)| *count > 0).collect()
    }

    /// How often each part was sent, whatever came of it.
    pub fn parts_tried(&self) -> Vec<(u32, usize)> {
        by_part(self.requests(Operation::UploadPart))
    }

    /// How often each part was stored.
    pub fn parts_stored(&self) -> Vec<(u32, usize)> {
        let sent = self.requests(Operation::UploadPart);
        by_part(sent.into_iter().filter(|entry| entry.status == Some(200)).collect())
    }

    /// UploadIds that the server has given out, oldest first.
    pub fn upload_ids(&self) -> Vec<String> {
        self.requests(Operation::InitiateMultipartUpload).into_iter().filter_map(|entry| entry.upload_id).collect()
    }

    /// UploadIds that the server has not forgotten.
    pub fn open_uploads(&self) -> Vec<String> {
        let folder = self.dir.path().join("sandbox/uploads");
        let entries = std::fs::read_dir(folder).expect("the sandbox's folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    /// Waits until every UploadId that was given out is completed or aborted.
    pub async fn until_no_open_uploads(&self) {
        let ended = |log: &[LoggedRequest]| {
            let of = |operation: Operation| log.iter().filter(move |entry| entry.operation == operation);
            let is_over = |id: &Option<String>| {
                of(Operation::CompleteMultipartUpload).any(|entry| entry.upload_id == *id && is_good(entry))
                    || of(Operation::AbortMultipartUpload).any(|entry| entry.upload_id == *id && is_good(entry))
            };
            of(Operation::InitiateMultipartUpload).filter(|entry| is_good(entry)).all(|entry| is_over(&entry.upload_id))
        };
        self.logged("an end of every UploadId", ended).await;
        assert_eq!(self.open_uploads(), [""; 0]);
    }

    /// Callbacks that named this object.
    pub fn callbacks_for(&self, key: &str) -> usize {
        let names = |body: &str| {
            let body: serde_json::Value = serde_json::from_str(body).expect("a JSON callback");
            body["object"] == key
        };
        self.sandbox.callbacks().iter().filter(|callback| names(&callback.body)).count()
    }

    /// A client of our own, for what happens behind the engine's back.
    pub fn client(&self) -> Client {
        let info = self.sandbox.info();
        let http = waybill_oss::http_client(&waybill_oss::HttpOptions::default()).expect("an HTTP client");
        let endpoint = Endpoint::parse(&info.endpoint).expect("an endpoint");
        let bucket = BucketName::parse(&info.bucket).expect("a bucket");
        let credential = Credential::new(&info.access_key_id, &info.access_key_secret, None);
        Client::new(http, endpoint, info.region.clone(), bucket, credential)
    }
}

/// The key of an object with this name.
pub fn key(name: &str) -> ObjectKey {
    ObjectKey::parse(name).expect("a key")
}

/// Each part from 1 to `parts`, once.
pub fn each_once(parts: u32) -> Vec<(u32, usize)> {
    (1..=parts).map(|number| (number, 1)).collect()
}

fn is_good(entry: &LoggedRequest) -> bool {
    entry.status.is_some_and(|status| status < 300)
}

fn by_part(sent: Vec<LoggedRequest>) -> Vec<(u32, usize)> {
    let mut counts = BTreeMap::new();
    for entry in sent {
        *counts.entry(entry.part_number.expect("a part number")).or_default() += 1;
    }
    counts.into_iter().collect()
}
