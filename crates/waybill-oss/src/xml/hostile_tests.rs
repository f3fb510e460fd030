//! Answers that are cut off, foreign or plain noise: never a panic, never taken for the whole thing.

use proptest::prelude::*;

use super::bucket::{BucketInfoDocument, BucketsPage, LocationDocument};
use super::listing::{ObjectsPage, UploadsPage};
use super::stored::{Completed, CopiedObjectDocument, CopiedPartDocument, Initiated, PartsPage, PostedDocument};
use super::*;

/// One answer of every kind, with its reader: whether it takes the bytes.
type Sample = (&'static str, fn(&[u8]) -> bool);

fn taken<T: Document>(bytes: &[u8]) -> bool {
    read::<T>(bytes).is_ok()
}

const SAMPLES: [Sample; 10] = [
    (
        "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>U</UploadId>\
         </InitiateMultipartUploadResult>",
        taken::<Initiated>,
    ),
    (
        "<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber><ETag>\"E\"</ETag>\
         <Size>5</Size></Part><Part><PartNumber>2</PartNumber><ETag>\"E\"</ETag><Size>5</Size></Part></ListPartsResult>",
        taken::<PartsPage>,
    ),
    ("<CompleteMultipartUploadResult><ETag>\"E-1\"</ETag></CompleteMultipartUploadResult>", taken::<Completed>),
    ("<CopyPartResult><ETag>\"E\"</ETag></CopyPartResult>", taken::<CopiedPartDocument>),
    ("<CopyObjectResult><ETag>\"E\"</ETag></CopyObjectResult>", taken::<CopiedObjectDocument>),
    ("<PostResponse><Key>k</Key><ETag>\"E\"</ETag></PostResponse>", taken::<PostedDocument>),
    (
        "<BucketInfo><Bucket><Name>b</Name><Location>oss-cn-hangzhou</Location></Bucket></BucketInfo>",
        taken::<BucketInfoDocument>,
    ),
    ("<LocationConstraint>oss-cn-hangzhou</LocationConstraint>", taken::<LocationDocument>),
    (
        "<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name><Location>oss-cn-hangzhou</Location></Bucket></Buckets>\
         </ListAllMyBucketsResult>",
        taken::<BucketsPage>,
    ),
    (
        "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>k</Key><UploadId>U</UploadId></Upload>\
         </ListMultipartUploadsResult>",
        taken::<UploadsPage>,
    ),
];

#[test]
fn every_answer_is_taken_whole_and_refused_at_every_length_below() {
    for (text, take) in SAMPLES {
        for dressed in [text.to_owned(), format!("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}\r\n")] {
            assert!(take(dressed.as_bytes()), "{dressed}");
            for length in 0..dressed.trim_end().len() {
                assert!(
                    !take(&dressed.as_bytes()[..length]),
                    "{}",
                    String::from_utf8_lossy(&dressed.as_bytes()[..length])
                );
            }
        }
    }
}

#[test]
fn no_answer_is_taken_for_one_of_another_kind() {
    for (at, (_, take)) in SAMPLES.iter().enumerate() {
        for (other, (text, _)) in SAMPLES.iter().enumerate() {
            assert_eq!(take(text.as_bytes()), at == other, "{text}");
        }
    }
}

#[test]
fn a_root_with_a_longer_name_or_something_behind_it_is_refused() {
    assert!(
        read::<Completed>(
            b"<CompleteMultipartUploadResult xmlns=\"x\"><ETag>E</ETag></CompleteMultipartUploadResult >"
        )
        .is_ok()
    );
    for text in [
        "<CompleteMultipartUploadResults><ETag>E</ETag></CompleteMultipartUploadResults>",
        "<CompleteMultipartUploadResult><ETag>E</ETag></CompleteMultipartUploadResult><x/>",
        "<CompleteMultipartUploadResult/>",
        "<x><ETag>E</ETag></x><CompleteMultipartUploadResult></CompleteMultipartUploadResult>",
        "x<CompleteMultipartUploadResult><ETag>E</ETag></CompleteMultipartUploadResult>",
        "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>",
        "<CompleteMultipartUploadResult><ETag>E</ETag></CompleteMultipartUploadResult>\
         <CompleteMultipartUploadResult><ETag>E</ETag></CompleteMultipartUploadResult>",
    ] {
        assert!(read::<Completed>(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_page_that_says_twice_whether_it_is_the_last_is_refused() {
    let text = "<ListPartsResult><IsTruncated>true</IsTruncated><IsTruncated>false</IsTruncated></ListPartsResult>";
    assert!(read::<PartsPage>(text.as_bytes()).is_err());
}

/// A page of parts as OSS writes it.
fn page(sizes: &[u64]) -> String {
    let part = |(at, size): (usize, &u64)| {
        format!("<Part><PartNumber>{}</PartNumber><ETag>\"E{at}\"</ETag><Size>{size}</Size></Part>", at + 1)
    };
    let parts: String = sizes.iter().enumerate().map(part).collect();
    format!("<ListPartsResult><Bucket>b</Bucket><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>")
}

proptest! {
    #[test]
    fn noise_is_never_a_panic_and_never_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for (_, take) in SAMPLES {
            prop_assert!(!take(&bytes));
        }
        prop_assert!(!taken::<ObjectsPage>(&bytes));
    }

    #[test]
    fn noise_inside_an_answer_is_never_a_panic(noise in "[<>/&;!?\\[\\]a-zA-Z0-9\"=# \\-]{0,60}", at in 0_usize..200) {
        for (text, take) in SAMPLES {
            let at = at % text.len();
            let mut noisy = text.to_owned();
            noisy.insert_str(at, &noise);
            let _ = take(noisy.as_bytes());
        }
    }

    #[test]
    fn a_page_that_lost_bytes_is_no_shorter_page(sizes in proptest::collection::vec(0_u64..1 << 40, 1..6), cut in any::<(u16, u16)>()) {
        let whole = page(&sizes);
        let numbers = |bytes: &[u8]| {
            read::<PartsPage>(bytes).map(|page| page.parts.iter().map(|part| part.size).collect::<Vec<_>>())
        };
        prop_assert_eq!(numbers(whole.as_bytes()), Ok(sizes));
        // The end is lost, or a piece out of the middle that is not whole elements.
        let end = usize::from(cut.0) % whole.len();
        prop_assert!(numbers(&whole.as_bytes()[..end]).is_err());
        let rest = &whole.as_bytes()[end..];
        let lost = usize::from(cut.1) % rest.len();
        if whole.as_bytes()[end..end + lost].iter().filter(|byte| **byte == b'<').count() % 2 == 1 {
            let torn = [&whole.as_bytes()[..end], &rest[lost..]].concat();
            prop_assert!(numbers(&torn).is_err(), "{}", String::from_utf8_lossy(&torn));
        }
    }
}
