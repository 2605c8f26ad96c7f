//! Files of machines on this host, beside what libvirt keeps.

use std::io::ErrorKind;
use std::path::Path;

/// Removes a file, if there is one. That it stays is no reason to fail for what it was removed for: the log tells `what` does.
pub(super) fn remove(file: &Path, what: &str) {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(file = %file.display(), %error, "{what} stays");
        }
        Ok(()) | Err(_) => {}
    }
}
