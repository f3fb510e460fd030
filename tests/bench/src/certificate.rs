//! An authority of our own and a certificate for 127.0.0.1, so that clients check it as they check any other.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Writes `ca.pem`, `chain.pem` and `key.pem`.
pub(crate) fn make(folder: &Path) -> Result<(), String> {
    let failed = |error: rcgen::Error| error.to_string();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "waybill bench authority");
    let authority_key = KeyPair::generate().map_err(failed)?;
    let ca = authority.self_signed(&authority_key).map_err(failed)?;
    let issuer = Issuer::new(authority, authority_key);
    let server = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]).map_err(failed)?;
    let key = KeyPair::generate().map_err(failed)?;
    let chain = server.signed_by(&key, &issuer).map_err(failed)?;
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for (name, content) in [("ca.pem", ca.pem()), ("chain.pem", chain.pem()), ("key.pem", key.serialize_pem())] {
        let path = folder.join(name);
        std::fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}
