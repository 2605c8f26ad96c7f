//! Open vSwitch, for tests of networks with VLANs: unpacked under target/, not installed, and run by `libvirtd.sh` beside the daemon.

use std::path::PathBuf;

use crate::packages;
use crate::workspace::Workspace;

/// The programs, and a library of theirs that machines with libvirt need not have.
const PACKAGES: [&str; 3] = ["openvswitch-common", "openvswitch-switch", "libxdp1"];

/// The folder where it is; none, and a word about it, where it cannot be had.
pub(crate) fn unpacked(workspace: &Workspace) -> Option<PathBuf> {
    let folder = workspace.target.join("openvswitch");
    // Written last, so that it is there only with the rest.
    let whole = folder.join("whole");
    if whole.is_file() {
        return Some(folder);
    }
    let made = PACKAGES.iter().try_for_each(|package| packages::extract(package, &folder));
    match made.and_then(|()| Ok(std::fs::write(whole, "")?)) {
        Ok(()) => Some(folder),
        Err(reason) => {
            eprintln!("******** SKIPPED: the tests on Open vSwitch. Reason: {reason:#} ********");
            None
        }
    }
}
