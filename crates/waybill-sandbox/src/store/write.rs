//! Bytes on their way to disk: into a temporary file, with CRC-64 and MD5 taken on the way.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crc_fast::{CrcAlgorithm, Digest as Crc};
use md5::{Digest, Md5};
use tokio::io::AsyncWriteExt;

/// How much is read of a file at once.
const PIECE: usize = 256 * 1024;

/// A body that is still coming in. Dropped before it is sealed, it leaves nothing.
pub(crate) struct Incoming {
    tmp: TempFile,
    file: tokio::fs::File,
    size: u64,
    crc: Crc,
    md5: Md5,
}

/// A body that is whole, still under its temporary name.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) content: Content,
    pub(crate) crc64: u64,
    pub(crate) md5: [u8; 16],
}

/// Whole bytes under a temporary name.
#[derive(Debug)]
pub(crate) struct Content {
    tmp: TempFile,
    pub(crate) size: u64,
}

/// A file that is removed unless it has been renamed away.
#[derive(Debug)]
struct TempFile(PathBuf);

impl TempFile {
    fn new(dir: &Path) -> Self {
        Self(dir.join(uuid::Uuid::new_v4().simple().to_string()))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.0.display(), "removing a temporary file");
        }
    }
}

impl Incoming {
    pub(super) async fn new(dir: &Path) -> io::Result<Self> {
        let tmp = TempFile::new(dir);
        let file = tokio::fs::File::create_new(&tmp.0).await?;
        Ok(Self { tmp, file, size: 0, crc: Crc::new(CrcAlgorithm::Crc64Xz), md5: Md5::new() })
    }

    pub(crate) async fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.crc.update(piece);
        self.md5.update(piece);
        self.size += piece.len() as u64;
        self.file.write_all(piece).await
    }

    /// Says that all bytes have come.
    pub(crate) async fn seal(mut self) -> io::Result<Sealed> {
        self.file.flush().await?;
        Ok(Sealed {
            content: Content { tmp: self.tmp, size: self.size },
            crc64: self.crc.finalize(),
            md5: self.md5.finalize().into(),
        })
    }
}

impl Sealed {
    /// A stretch of a file as new content; an error when the file ends before it.
    pub(super) fn copied(dir: &Path, mut source: &File, from: u64, length: u64) -> io::Result<Self> {
        let tmp = TempFile::new(dir);
        let mut file = File::create_new(&tmp.0)?;
        let (mut crc, mut md5) = (Crc::new(CrcAlgorithm::Crc64Xz), Md5::new());
        source.seek(SeekFrom::Start(from))?;
        let mut rest = source.take(length);
        let mut piece = vec![0; PIECE];
        let mut size = 0;
        loop {
            let read = rest.read(&mut piece)?;
            if read == 0 {
                break;
            }
            crc.update(&piece[..read]);
            md5.update(&piece[..read]);
            write_or_skip(&mut file, &piece[..read])?;
            size += read as u64;
        }
        if size < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.set_len(size)?;
        Ok(Self { content: Content { tmp, size }, crc64: crc.finalize(), md5: md5.finalize().into() })
    }
}

/// Leaves a hole where there are only zeros, so that a huge object of nothing can be copied in no space.
fn write_or_skip(file: &mut File, piece: &[u8]) -> io::Result<()> {
    static ZEROS: [u8; PIECE] = [0; PIECE];
    if piece == &ZEROS[..piece.len()] {
        return file.seek(SeekFrom::Current(piece.len() as i64)).map(drop);
    }
    file.write_all(piece)
}

/// Whether a file takes less space than it has bytes.
#[cfg(unix)]
fn has_holes(file: &File) -> io::Result<bool> {
    let about = file.metadata()?;
    Ok(std::os::unix::fs::MetadataExt::blocks(&about).saturating_mul(512) < about.len())
}

#[cfg(not(unix))]
fn has_holes(_file: &File) -> io::Result<bool> {
    Ok(false)
}

/// Puts a file behind what is in another, holes and all.
fn append(mut from: File, to: &mut File) -> io::Result<u64> {
    if !has_holes(&from)? {
        return io::copy(&mut from, to);
    }
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            let end = to.stream_position()?;
            to.set_len(end)?;
            return Ok(size);
        }
        write_or_skip(to, &piece[..read])?;
        size += read as u64;
    }
}

/// The CRC-64 of a whole file.
pub(super) fn crc64_of(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut crc = Crc::new(CrcAlgorithm::Crc64Xz);
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(crc.finalize()),
            read => crc.update(&piece[..read]),
        }
    }
}

impl Content {
    /// The bytes of several files one after another.
    pub(super) fn joined(dir: &Path, files: impl Iterator<Item = PathBuf>) -> io::Result<Self> {
        let tmp = TempFile::new(dir);
        let mut whole = File::create_new(&tmp.0)?;
        let mut size = 0;
        for file in files {
            size += append(File::open(file)?, &mut whole)?;
        }
        Ok(Self { tmp, size })
    }

    /// The temporary file's own name.
    pub(super) fn tmp_name(&self) -> String {
        self.tmp.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Gives the bytes their place, at once and whole.
    pub(super) fn place(self, at: &Path) -> io::Result<()> {
        fs::rename(&self.tmp.0, at)
    }
}
