//! The signature of a callback: RSA PKCS#1 v1.5 with MD5, as weak as OSS's own, over path, query and body.
//!
//! Source: *Callback* page, *Sign the callback request*.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use md5::Md5;
use rsa::{
    RsaPrivateKey,
    pkcs1v15::SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding},
    signature::{SignatureEncoding, Signer},
};

use crate::escape;

/// Where the sandbox gives out its public key, under the name that Alibaba's has.
pub(crate) const KEY_PATH: &str = "/_sandbox/callback_pub_key_v1.pem";

/// OSS's key has 512, which is less than the library makes.
const BITS: usize = 1024;
const FILE: &str = "callback_key.pem";

/// The sandbox's own key pair; made once for a data folder.
pub(crate) struct CallbackKey {
    private: SigningKey<Md5>,
    public_pem: String,
}

impl CallbackKey {
    /// The key of a data folder, made and kept there when it has none yet.
    pub(crate) fn open(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(FILE);
        let private = match fs::read_to_string(&path) {
            Ok(pem) => RsaPrivateKey::from_pkcs8_pem(&pem).map_err(|_| {
                let words = format!("{} is not an RSA key; delete it and a new one is made", path.display());
                io::Error::new(io::ErrorKind::InvalidData, words)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = RsaPrivateKey::new(&mut rand::rng(), BITS).map_err(io::Error::other)?;
                keep(&key, &path)?;
                key
            }
            Err(error) => return Err(error),
        };
        let public_pem = private.to_public_key().to_public_key_pem(LineEnding::LF).map_err(io::Error::other)?;
        Ok(Self { private: SigningKey::new(private), public_pem })
    }

    /// The `authorization` header for this text.
    pub(crate) fn sign(&self, text: &[u8]) -> String {
        BASE64_STANDARD.encode(self.private.sign(text).to_bytes())
    }

    /// What verifies it.
    pub(crate) fn public_pem(&self) -> &str {
        &self.public_pem
    }
}

/// For the owner's eyes only, and whole or not there at all.
fn keep(key: &RsaPrivateKey, path: &Path) -> io::Result<()> {
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?;
    let next = path.with_extension("next");
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private_file(&next)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    fs::rename(&next, path)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What is signed: the path percent-decoded, the query as it is with its question mark, a line feed, the body. A plus sign
/// in the path stays one, and a `%` that begins no escape stays as well.
pub(crate) fn signed_text(path_and_query: &str, body: &[u8]) -> Vec<u8> {
    let (path, query) = match path_and_query.find('?') {
        Some(at) => path_and_query.split_at(at),
        None => (path_and_query, ""),
    };
    let mut text = escape::decode(path, false).unwrap_or_else(|| path.as_bytes().to_vec());
    text.extend_from_slice(query.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(body);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_there_again_after_a_restart() {
        let dir = tempfile::tempdir().expect("temp dir");
        let first = CallbackKey::open(dir.path()).expect("makes one");
        let second = CallbackKey::open(dir.path()).expect("reads it");
        assert_eq!(first.public_pem(), second.public_pem());
        assert_eq!(first.sign(b"text"), second.sign(b"text"));
        assert_ne!(first.sign(b"text"), first.sign(b"texT"));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_private_key() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("temp dir");
        CallbackKey::open(dir.path()).expect("makes one");
        let mode = fs::metadata(dir.path().join(FILE)).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_file_that_is_none_is_named_in_the_error() {
        let dir = tempfile::tempdir().expect("temp dir");
        fs::write(dir.path().join(FILE), "no key").expect("writes");
        let error = CallbackKey::open(dir.path()).map(|_| ()).expect_err("refused");
        assert!(error.to_string().contains(FILE) && error.to_string().contains("delete it"), "{error}");
    }
}
