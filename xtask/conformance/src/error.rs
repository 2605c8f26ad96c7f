//! Why there is no report at all.

use std::path::PathBuf;
use thiserror::Error;

/// What keeps the suite from running, or its report from being written.
#[derive(Debug, Error)]
pub enum Error {
    /// The endpoint is no URL that this suite can speak to.
    #[error("'{endpoint}' is no endpoint: {why}; give one such as http://127.0.0.1:8787")]
    Endpoint {
        /// As it was given.
        endpoint: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A header to be sent with each request is none.
    #[error("'{0}' is no header; give one such as 'Authorization: Basic dTpw'")]
    Header(String),
    /// A clause or document was named that is not in the table.
    #[error("there is no clause or document '{0}'; give ids such as HTTP-24, or documents such as TXT")]
    Unknown(String),
    /// Nothing answers at the endpoint.
    #[error("nothing answers at {url}: {why}; is a server running there?")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What the connection said.
        why: String,
    },
    /// What answers at the endpoint cannot prove that it is the endpoint.
    #[error(
        "the certificate at {url} is not trusted: {why}; name a file with the certificate of its authority by \
         --authorities, or let certificates go unchecked by --insecure"
    )]
    Distrusted {
        /// What was asked for.
        url: String,
        /// What is wrong with the certificate.
        why: String,
    },
    /// The authorities to be trusted cannot be read.
    #[error("cannot take authorities from {}: {why}; give a file of certificates in PEM", .path.display())]
    Authorities {
        /// Where they should be.
        path: PathBuf,
        /// What is wrong there.
        why: String,
    },
    /// The schema within this program cannot be used.
    #[error("the OCCI schema within this program is broken: {0}")]
    Schema(String),
    /// The report cannot be written.
    #[error("cannot write {}: {why}", .path.display())]
    Report {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
}
