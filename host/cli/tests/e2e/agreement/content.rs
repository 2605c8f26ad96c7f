//! What a volume holds, written and read by other programs than the server.

use crate::qemu::domain;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The storage pool of a test at one hypervisor.
pub(super) struct Pool {
    uri: String,
    name: String,
}

impl Pool {
    pub(super) fn new(uri: &str, name: &str) -> Self {
        Self { uri: uri.to_owned(), name: name.to_owned() }
    }

    /// The names of all that is in it; where nothing ever was, there is no pool. What libvirtd does not say counts as something.
    pub(super) fn volumes(&self) -> Vec<String> {
        let listed = self.list();
        if listed.is_empty() {
            return listed;
        }
        // Of two calls at once for one volume libvirtd may remember it, while its file is gone.
        self.virsh(&["pool-refresh", &self.name]);
        self.list()
    }

    fn list(&self) -> Vec<String> {
        let output = self.virsh(&["vol-list", "--pool", &self.name]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return if said.contains("Storage pool not found") { Vec::new() } else { vec![said] };
        }
        // Below a heading and a line.
        let listed = String::from_utf8(output.stdout).unwrap();
        let named = listed.lines().skip(2).filter_map(|line| line.split_whitespace().next());
        named.map(str::to_owned).collect()
    }

    fn virsh(&self, arguments: &[&str]) -> Output {
        Command::new("virsh")
            .args(["--connect", &self.uri])
            .args(arguments)
            .env("LC_ALL", "C")
            .output()
            .unwrap()
    }
}

/// What is written to a volume of 1 GiB: something at its beginning, and far behind.
pub(super) struct Content {
    folder: TempDir,
}

impl Content {
    pub(super) fn new() -> Self {
        let content = Self { folder: tempfile::tempdir().unwrap() };
        let (raw, image) = (content.file("raw"), content.file("qcow2"));
        let file = std::fs::File::create(&raw).unwrap();
        file.set_len(1 << 30).unwrap();
        for at in [0, 700 << 20] {
            std::os::unix::fs::FileExt::write_all_at(&file, b"this was written before", at).unwrap();
        }
        let mut convert = Command::new("qemu-img");
        convert.args(["convert", "-f", "raw", "-O", "qcow2", "-o", "compat=1.1"]).args([&raw, &image]);
        assert!(convert.status().unwrap().success());
        content
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[track_caller]
    pub(super) fn write(&self, pool: &Pool, storage: &str) {
        let image = self.file("qcow2");
        let output =
            pool.virsh(&["vol-upload", "--pool", &pool.name, &domain(storage), image.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// It may have grown since, by nothing.
    #[track_caller]
    pub(super) fn check(&self, pool: &Pool, storage: &str, said: &str) {
        let read = self.file("read");
        let output =
            pool.virsh(&["vol-download", "--pool", &pool.name, &domain(storage), read.to_str().unwrap()]);
        assert!(output.status.success(), "{}\nafter {said}", String::from_utf8_lossy(&output.stderr));
        let mut compare = Command::new("qemu-img");
        compare.args(["compare", "-f", "raw", "-F", "qcow2"]).args([&self.file("raw"), &read]);
        let output = compare.output().unwrap();
        assert!(output.status.success(), "{}\nafter {said}", String::from_utf8_lossy(&output.stdout));
    }
}

/// Whether a file is a disk without a fault, that rests on no other.
pub(super) fn is_whole(file: &Path) -> bool {
    let checked = Command::new("qemu-img").args(["check", "-q", "-f", "qcow2"]).arg(file).status().unwrap();
    let info = Command::new("qemu-img").args(["info", "-f", "qcow2"]).arg(file).output().unwrap();
    checked.success() && !String::from_utf8_lossy(&info.stdout).contains("backing file")
}
