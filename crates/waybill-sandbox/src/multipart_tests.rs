//! The part rules, and the published and SDK-made values of ETag and CRC-64.

use serde_json::Value;

use super::*;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../tests/fixtures/crc64-etag.json")).expect("fixture is JSON")
}

fn bare(etag: &Value) -> String {
    etag.as_str().expect("text").trim_matches('"').to_owned()
}

fn part(number: u32, size: u64) -> Part {
    Part { number, etag: format!("{number:032X}"), crc64: 0, size, modified_ms: 0, file: String::new() }
}

fn listed(number: u32) -> ListedPart {
    ListedPart { number, etag: format!("{number:032X}") }
}

#[track_caller]
fn refused(listed: &[ListedPart], stored: &[Part], code: &str) {
    assert_eq!(pick(listed, stored).expect_err("must be refused").code, code);
}

#[test]
fn the_published_sample_gives_its_etag() {
    let sample = &fixture()["published_sample"];
    let etags: Vec<String> = sample["part_etags"].as_array().expect("list").iter().map(bare).collect();
    assert_eq!(multipart_etag(etags.iter().map(String::as_str)), bare(&sample["object_etag"]));
}

#[test]
fn combined_parts_give_the_crc_and_the_etag_of_the_vectors() {
    for vector in fixture()["combine"].as_array().expect("list") {
        let parts = vector["parts"].as_array().expect("list");
        let etags: Vec<String> = parts.iter().map(|part| bare(&part["etag"])).collect();
        assert_eq!(multipart_etag(etags.iter().map(String::as_str)), bare(&vector["multipart_etag"]));
        let crc = parts.iter().fold(0, |crc, part| {
            let next = part["crc64"].as_str().expect("text").parse().expect("number");
            checksum_combine(CrcAlgorithm::Crc64Xz, crc, next, part["length"].as_u64().expect("length"))
        });
        assert_eq!(crc.to_string(), vector["combined"]);
    }
}

#[test]
fn a_gap_in_the_numbers_and_a_small_last_part_are_fine() {
    let stored = [part(1, PART_MINIMUM), part(5, PART_MINIMUM), part(8, 1)];
    assert_eq!(pick(&[listed(1), listed(8)], &stored).expect("picks"), [stored[0].clone(), stored[2].clone()]);
}

#[test]
fn an_unordered_or_doubled_list_is_invalid_part_order() {
    let stored = [part(1, PART_MINIMUM), part(2, PART_MINIMUM)];
    refused(&[listed(2), listed(1)], &stored, "InvalidPartOrder");
    refused(&[listed(1), listed(1)], &stored, "InvalidPartOrder");
}

#[test]
fn a_missing_part_or_another_etag_is_invalid_part() {
    let stored = [part(1, PART_MINIMUM)];
    refused(&[listed(1), listed(2)], &stored, "InvalidPart");
    refused(&[ListedPart { number: 1, etag: "0".repeat(32) }], &stored, "InvalidPart");
}

#[test]
fn a_small_part_before_the_last_is_entity_too_small() {
    refused(&[listed(1), listed(2)], &[part(1, PART_MINIMUM - 1), part(2, 1)], "EntityTooSmall");
}

#[test]
fn an_empty_list_and_a_number_out_of_range_are_malformed() {
    refused(&[], &[], "MalformedXML");
    refused(&[listed(0)], &[part(0, 1)], "MalformedXML");
    refused(&[listed(10_001)], &[part(10_001, 1)], "MalformedXML");
}
