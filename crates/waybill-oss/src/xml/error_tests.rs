//! Errors as OSS writes them, as they come damaged, and what must not pass for one.

use proptest::prelude::*;

use super::*;

const WHOLE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>\n  NoSuchUpload </Code>\n  \
    <Message>The &lt;upload&gt; is gone&#33;</Message>\n  <RequestId>65A1</RequestId>\n  <HostId>b.oss</HostId>\n  \
    <UploadId>U</UploadId>\n  <EC>0042-00000203</EC>\n  <RecommendDoc>https://x</RecommendDoc>\n</Error>";

#[test]
fn an_error_is_read_with_blanks_inside_and_unknown_elements() {
    let error = ErrorDocument::read(WHOLE).expect("error");
    assert_eq!((error.code.as_str(), error.message.as_str()), ("NoSuchUpload", "The <upload> is gone!"));
    assert_eq!(error.ec.as_deref(), Some("0042-00000203"));
    assert_eq!((error.request_id.as_deref(), error.host_id.as_deref()), (Some("65A1"), Some("b.oss")));
}

#[test]
fn a_damaged_error_keeps_what_can_be_read_of_it() {
    for (text, message) in [
        ("<!-- by a gateway --><Error><Code>C</Code><Message>m</Message></Error>", "m"),
        ("<!DOCTYPE x><?pi?><Error xmlns=\"y\"><Code>C</Code><Message>m</Message></Error>\n<!-- end -->", "m"),
        ("<Error><Code>C</Code><Message><![CDATA[m</Error>]]></Message></Error>", "m</Error>"),
        ("<Error><Code>C</Code><Message>m&nbsp;&amp;&unknown;</Message></Error>", "m&nbsp;&&unknown;"),
        ("<Error><Code>C</Code><Message>a & b</Message></Error>", "a & b"),
        ("<Error><Code>C</Code><Message>m</Message><Code>D</Code><Message>n</Message></Error>", "m"),
        ("<Error><Details><Code>D</Code></Details><Code>C</Code><Message>m</Message></Error>", "m"),
        ("<Error><Code>C</Code><Message>m</Message><RequestId>65</Wrong></Error>", "m"),
        ("<Error><Code>C</Code><Message>cut of", ""),
        ("\u{feff}{\"Error\": {\"Code\": \"C\", \"Message\": \" m \", \"Size\": 3}}", "m"),
    ] {
        let error = ErrorDocument::read(text).expect(text);
        assert_eq!((error.code.as_str(), error.message.as_str()), ("C", message), "{text}");
        assert_eq!((error.request_id, error.ec), (None, None), "{text}");
    }
}

#[test]
fn what_is_not_an_error_document_is_not_taken_for_one() {
    for text in [
        "",
        "plain",
        "<html><body>502</body></html>",
        "<html><Error><Code>C</Code></Error></html>",
        "<Errors><Code>C</Code></Errors>",
        "x<Error><Code>C</Code></Error>",
        "<Error></Error>",
        "<Error/>",
        "<Error><Code> </Code></Error>",
        "<Error><Code>C",
        "<Error><Code>C</Cod",
        "<Error><Code/><Message>m</Message></Error>",
        "{\"Error\":{}}",
        "{\"Error\":\"C\"}",
        "{\"Code\":\"C\"}",
        "{\"Error\":{\"Code\":\"C\"}",
    ] {
        assert_eq!(ErrorDocument::read(text), None, "{text}");
    }
}

#[test]
fn the_token_is_starred_in_what_oss_signed_and_nothing_else_is_changed() {
    for (signed, shown) in [
        (
            "PUT\n\n\nDate\nx-oss-meta-a:b\nX-Oss-Security-Token:s3cr3t/+==\nx-oss-z:1\n/b/k?uploads",
            "PUT\n\n\nDate\nx-oss-meta-a:b\nX-Oss-Security-Token:***\nx-oss-z:1\n/b/k?uploads",
        ),
        ("GET\n\n\n1\n/b/k?acl&security-token=s3cr3t&uploads", "GET\n\n\n1\n/b/k?acl&security-token=***&uploads"),
        ("GET\n/b/k?x-oss-security-token=s3cr3t", "GET\n/b/k?x-oss-security-token=***"),
        ("x-oss-security-token:s3cr3t\r\n/b/é\r\n", "x-oss-security-token:***\r\n/b/é\r\n"),
        ("OSS4-HMAC-SHA256\n20250314T092653Z\n\n  feed", "OSS4-HMAC-SHA256\n20250314T092653Z\n\n  feed"),
    ] {
        let text = format!(
            "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>{}</StringToSign></Error>",
            signed.replace('&', "&amp;")
        );
        assert_eq!(ErrorDocument::read(&text).expect("error").string_to_sign.as_deref(), Some(shown));
    }
}

proptest! {
    #[test]
    fn an_error_that_was_cut_off_says_the_same_or_less(cut in any::<u16>()) {
        let whole = ErrorDocument::read(WHOLE).expect("error");
        let text = WHOLE.get(..usize::from(cut) % WHOLE.len()).unwrap_or_default();
        if let Some(error) = ErrorDocument::read(text) {
            prop_assert_eq!(&error.code, &whole.code);
            prop_assert!(error.message.is_empty() || error.message == whole.message);
            prop_assert!(error.ec.is_none() || error.ec == whole.ec);
        }
    }

    #[test]
    fn noise_in_an_error_is_never_a_panic(noise in "[<>/&;!?\\[\\]{}a-zA-Z0-9\"=# \\-]{0,60}", at in 0_usize..200) {
        let mut noisy = WHOLE.to_owned();
        noisy.insert_str(at % WHOLE.len(), &noise);
        let _ = ErrorDocument::read(&noisy);
        let _ = ErrorDocument::read(&noise);
    }
}
