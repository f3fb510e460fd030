//! The first bytes of an image of each kind, and of things that are none.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn seen(bytes: &[u8]) -> Option<(usize, usize, &'static str)> {
    look(Cursor::new(bytes)).map(|image| (image.width, image.height, image.format))
}

/// A box of an ISO media file.
fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).expect("short");
    [&length.to_be_bytes(), name, content].concat()
}

fn heif(brand: &[u8; 4], width: u32, height: u32) -> Vec<u8> {
    let ispe = boxed(b"ispe", &[[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat());
    let iprp = boxed(b"iprp", &boxed(b"ipco", &ispe));
    let meta = boxed(b"meta", &[vec![0; 4], iprp].concat());
    [boxed(b"ftyp", &[&brand[..], &[0; 4], &b"mif1"[..]].concat()), meta].concat()
}

#[test]
fn each_format_is_told_with_width_and_height() {
    let png =
        [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", &200_u32.to_be_bytes()[..], &278_u32.to_be_bytes(), &[8; 9]].concat();
    assert_eq!(seen(&png), Some((200, 278, "png")));
    let exif =
        [b"\xff\xd8\xff\xe1\0\x06Exif\xff\xc0\0\x11\x08", &278_u16.to_be_bytes()[..], &200_u16.to_be_bytes()].concat();
    assert_eq!(seen(&exif), Some((200, 278, "jpg")));
    let gif = [b"GIF89a", &200_u16.to_le_bytes()[..], &278_u16.to_le_bytes(), &[0; 8]].concat();
    assert_eq!(seen(&gif), Some((200, 278, "gif")));
    let bmp =
        [b"BM", &[0; 12][..], &40_u32.to_le_bytes(), &200_u32.to_le_bytes(), &278_u32.to_le_bytes(), &[0; 8]].concat();
    assert_eq!(seen(&bmp), Some((200, 278, "bmp")));
    let webp = [b"RIFF\0\0\0\0WEBPVP8X", &[0; 8][..], &[199, 0, 0, 0x15, 1, 0], &[0; 8]].concat();
    assert_eq!(seen(&webp), Some((200, 278, "webp")));
    let entry = |tag: u16, value: u32| {
        [&tag.to_le_bytes()[..], &4_u16.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let tiff = [b"II\x2a\0\x08\0\0\0\x02\0", &entry(0x100, 200)[..], &entry(0x101, 278)].concat();
    assert_eq!(seen(&tiff), Some((200, 278, "tiff")));
    assert_eq!(seen(&heif(b"heic", 200, 278)), Some((200, 278, "heic")));
    assert_eq!(seen(&heif(b"avif", 200, 278)), Some((200, 278, "avif")));
}

#[test]
fn what_is_no_image_or_only_begins_like_one_has_no_size() {
    for bytes in [
        &b""[..],
        b"x",
        b"just a text that is long enough",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe1\0\0\0\0\0\0\0\0\0\0",
        b"GIF89a",
        b"qoif\0\0\0\x01\0\0\0\x01\x03\0\0\0\0",
    ] {
        assert_eq!(seen(bytes), None, "{bytes:?}");
    }
    assert_eq!(seen(&heif(b"isom", 200, 278)), None, "a film is no image");
}

proptest! {
    #[test]
    fn no_bytes_panic(start in 0usize..9, rest in prop::collection::vec(any::<u8>(), 0..200)) {
        let starts: [&[u8]; 9] = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"RIFF\0\0\0\0WEBPVP8 ", b"II\x2a\0", b"MM\0\x2b\0\x08\0\0", b"\0\0\0\x18ftypheic"];
        look(Cursor::new([starts[start], &rest].concat()));
    }
}
