//! Lists with encoded names, cut-off pages, and what must not pass for a page.

use proptest::prelude::*;

use super::*;
use crate::escape;
use crate::xml::read;

fn objects(text: &str) -> Result<DecodedObjects, String> {
    read::<ObjectsPage>(text.as_bytes())?.decoded()
}

const PAGE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <ListBucketResult xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\"><Name>b</Name><Prefix></Prefix>\
    <MaxKeys>2</MaxKeys><Delimiter>%2F</Delimiter><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
    <NextContinuationToken>Cg%3D%3D</NextContinuationToken><KeyCount>3</KeyCount>\
    <Contents><Key>a%20b%2Bc%01</Key><LastModified>2020-05-18T05:45:43.000Z</LastModified><ETag>\"35A2\"</ETag>\
    <Type>Normal</Type><Size>25</Size><StorageClass>Standard</StorageClass><Owner><ID>1</ID></Owner></Contents>\
    <CommonPrefixes><Prefix>%E6%96%87%2F</Prefix></CommonPrefixes>\
    <Contents><Key>d+e</Key><Size>0</Size></Contents></ListBucketResult>";

#[test]
fn names_are_decoded_where_the_page_says_that_they_are_encoded() {
    let page = objects(PAGE).expect("page");
    let keys: Vec<&str> = page.rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys, ["a b+c\u{1}", "d e"]);
    assert_eq!((page.prefixes, page.next), (vec!["文/".to_owned()], Some("Cg==".to_owned())));
    assert_eq!((page.rows[0].size, page.rows[0].etag.as_str()), (25, "\"35A2\""));

    let plain = objects(&PAGE.replace("<EncodingType>url</EncodingType>", "")).expect("plain");
    assert_eq!((plain.rows[0].key.as_str(), plain.rows[1].key.as_str()), ("a%20b%2Bc%01", "d+e"));
}

#[test]
fn a_page_with_another_number_of_keys_than_it_says_is_refused() {
    assert!(objects(&PAGE.replace("<KeyCount>3<", "<KeyCount>4<")).is_err());
}

#[test]
fn names_that_cannot_be_decoded_are_refused() {
    for name in ["%", "%4", "%zz", "%+1", "%ff", "a%"] {
        assert!(objects(&PAGE.replace("d+e", name)).is_err(), "{name}");
    }
    assert!(objects(&PAGE.replace(">url<", ">base64<")).is_err());
}

#[test]
fn the_last_page_has_no_next_one() {
    let page = objects(&PAGE.replace(">true<", ">false<")).expect("page");
    assert_eq!(page.next, None);
}

#[test]
fn open_uploads_are_decoded_with_their_marker() {
    let text = "<ListMultipartUploadsResult><Bucket>b</Bucket><NextKeyMarker>a%2Fb</NextKeyMarker>\
        <NextUploadIdMarker>0004</NextUploadIdMarker><MaxUploads>1</MaxUploads><IsTruncated>true</IsTruncated>\
        <EncodingType>url</EncodingType><Upload><Key>a%2Fb</Key><UploadId>0004</UploadId>\
        <Initiated>2012-02-23T04:18:23.000Z</Initiated></Upload></ListMultipartUploadsResult>";
    let page = read::<UploadsPage>(text.as_bytes()).expect("page").decoded().expect("names");
    assert_eq!(page.rows[0].key, "a/b");
    assert_eq!(page.next, Some(("a/b".to_owned(), "0004".to_owned())));
}

proptest! {
    #[test]
    fn any_key_comes_out_of_a_list_as_it_was(key in "\\PC{1,40}|[ +%&<>/\\u{0}-\\u{20}]{1,12}") {
        let text = PAGE.replace("d+e", &escape::component(&key));
        let page = objects(&text).expect("page");
        prop_assert_eq!(&page.rows[1].key, &key);
    }

    #[test]
    fn no_name_makes_the_decoder_panic(name in "[%+0-9a-fA-Fg ]{0,30}") {
        let _ = objects(&PAGE.replace("d+e", &name));
    }
}
