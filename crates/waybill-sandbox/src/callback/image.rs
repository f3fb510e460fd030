//! `imageInfo`: width, height and format, read off the first bytes of an image.

use std::{
    fs::File,
    io::{BufRead, BufReader, Seek},
};

use imagesize::{Compression, ImageType};

/// What is known of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ImageInfo {
    pub(super) width: usize,
    pub(super) height: usize,
    /// As *Query image information* writes it: `jpg`, `png`, `gif`, `webp`, `bmp`, `tiff`, `heic`, `avif`.
    pub(super) format: &'static str,
}

/// `None` when it is no image that OSS knows (*Image processing*, supported formats).
pub(super) fn read(file: File) -> Option<ImageInfo> {
    look(BufReader::new(file))
}

fn look(mut bytes: impl BufRead + Seek) -> Option<ImageInfo> {
    let kind = imagesize::reader_type(&mut bytes).ok()?;
    let format = match kind {
        ImageType::Jpeg => "jpg",
        ImageType::Png => "png",
        ImageType::Gif => "gif",
        ImageType::Webp => "webp",
        ImageType::Bmp => "bmp",
        ImageType::Tiff => "tiff",
        ImageType::Heif(Compression::Av1) => "avif",
        // The library takes every film in an MP4 box for a HEIF of an unknown kind.
        ImageType::Heif(Compression::Hevc) => "heic",
        _ => return None,
    };
    // Each kind goes to its place from where the look at the kind has ended.
    let size = kind.reader_size(&mut bytes).ok()?;
    Some(ImageInfo { width: size.width, height: size.height, format })
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
