//! How much of a form is taken before it is refused.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio_util::sync::CancellationToken;

use super::*;

const PIECE: usize = 16 * 1024;

/// The refusal of a body that begins so and goes on with `more` for ever, and how many bytes were taken until then.
async fn refused(begin: &str, more: &str) -> (String, usize) {
    let begin = [Ok::<_, Infallible>(Bytes::copy_from_slice(begin.as_bytes()))];
    let more = Bytes::from(more.repeat(PIECE.div_ceil(more.len())));
    let body =
        Body::from_stream(stream::iter(begin.into_iter().chain(std::iter::repeat_with(move || Ok(more.clone())))));
    let received = Arc::new(AtomicU64::new(0));
    let (gone, stop) = (CancellationToken::new(), CancellationToken::new());
    let mut intake = Intake::new(body, Arc::clone(&received), None, gone, stop);
    let mut form = Form::new("multipart/form-data; boundary=B", &mut intake).expect("is a form");
    let code = match form.fields().await.map(|_| ()) {
        Err(Refusal::Oss(error)) => error.code.into_owned(),
        other => panic!("{other:?}"),
    };
    (code, received.load(Ordering::Relaxed) as usize)
}

#[tokio::test]
async fn a_body_in_which_no_part_begins_is_refused_before_it_fills_the_memory() {
    let head = "--B\r\nContent-Disposition: form-data; name=\"";
    for (begin, more) in [("", "x"), ("--another\r\n", "x"), (head, "n"), ("--B\r\nX-Long: ", "y")] {
        let (code, taken) = refused(begin, more).await;
        assert_eq!(code, "MalformedPOSTRequest", "{begin}");
        assert!(taken <= UNREAD_LIMIT + 2 * PIECE, "{begin}: {taken}");
    }
}

#[tokio::test]
async fn fields_that_do_not_end_are_too_large_by_the_bytes_that_came_and_not_by_what_they_hold() {
    let field = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
    let (code, taken) = refused("", field).await;
    assert_eq!(code, "MaxPOSTPreDataLengthExceededError");
    assert!(taken > FIELDS_LIMIT && taken <= FIELDS_LIMIT + 2 * PIECE, "{taken}");
}

#[tokio::test]
async fn a_file_may_be_longer_than_all_that_stands_before_it() {
    let head = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
    let pieces = (FIELDS_LIMIT / PIECE) + 8;
    let file = std::iter::repeat_n(Bytes::from(vec![b'x'; PIECE]), pieces);
    let whole = std::iter::once(Bytes::from(head)).chain(file).chain([Bytes::from("\r\n--B--\r\n")]);
    let body = Body::from_stream(stream::iter(whole.map(Ok::<_, Infallible>)));
    let (gone, stop) = (CancellationToken::new(), CancellationToken::new());
    let mut intake = Intake::new(body, Arc::default(), None, gone, stop);
    let mut form = Form::new("multipart/form-data; boundary=B", &mut intake).expect("is a form");
    let (_fields, mut file) = form.fields().await.expect("has a file");
    let mut size = 0;
    while let Some(piece) = file.next().await.expect("goes on") {
        size += piece.len();
    }
    drop(file);
    form.finish().await.expect("ends");
    assert_eq!(size, pieces * PIECE);
}
