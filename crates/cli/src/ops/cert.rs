//! `twinsite cert import`: a certificate that was issued elsewhere.

use std::path::Path;

use twinsite_core::Run;

use super::Outcome;
use crate::args::{Global, Import};
use crate::error::Failure;
use crate::stack::Stack;

const WHAT: &str = "import the certificate";

pub(crate) async fn import(global: &Global, options: &Import, run: &Run) -> Result<Outcome, Failure> {
    let Import { cert, chain, key } = options;
    let (certificate, key) = (read(cert)?, read(key)?);
    let chain = chain.as_deref().map(read).transpose()?;
    let stack = Stack::open(global, run).await?;
    let arn = stack.import_certificate(certificate, chain, key).await;
    let arn = arn.map_err(|error| Failure::aws(WHAT, &error))?;
    if let Some(cloud) = &stack.cloud {
        cloud.world().flush().map_err(|fault| Failure::new("keep the embedded cloud's state", fault))?;
    }
    Ok(Outcome::Imported(arn.to_string()))
}

/// What is in the file never reaches a message.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let what = format!("read `{}`", path.display());
    let bytes = std::fs::read(path).map_err(|error| Failure::usage(&what, error))?;
    let pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
    pem.then_some(bytes).ok_or_else(|| {
        Failure::usage(what, "it is not in PEM form")
            .hint("convert it: openssl x509 -inform der -in FILE -out FILE.pem")
    })
}
