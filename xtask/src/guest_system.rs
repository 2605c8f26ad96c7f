//! A system for machines to boot: the distribution's kernel and an init script of ours on busybox, in memory alone.
//! Both come from packages that are unpacked under target/, not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::packages::{self, Apt};
use crate::progress;
use crate::workspace::Workspace;

/// The init script; its comments say what it does.
const INIT: &str = include_str!("../guest/init");

/// Debian's kernel for machines that are virtual anyway.
const KERNEL: &str = "linux-image-cloud-amd64";
const BUSYBOX: &str = "busybox-static";

/// What the kernel needs for a virtual machine's devices, its power button, and to tell of a panic, each after what it depends on.
const MODULES: [&str; 16] = [
    "virtio_ring",
    "virtio",
    "virtio_pci_modern_dev",
    "virtio_pci_legacy_dev",
    "virtio_pci",
    "virtio_balloon",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio_blk",
    "button",
    "evdev",
    "pvpanic",
    "pvpanic-mmio",
    "cdrom",
    "isofs",
];

/// What a machine boots.
#[derive(Clone, Debug)]
pub(crate) struct GuestSystem {
    pub(crate) kernel: PathBuf,
    pub(crate) initrd: PathBuf,
}

/// What the kernel is told: the serial line is the console, and a panic is a restart.
pub(crate) const COMMAND_LINE: &str = "console=ttyS0 quiet panic=1";

/// The system in target/guest-system; made if it is not there or if its script is another one.
pub(crate) fn build(workspace: &Workspace) -> Result<GuestSystem> {
    let folder = workspace.target.join("guest-system");
    let system = GuestSystem { kernel: folder.join("vmlinuz"), initrd: folder.join("initrd.gz") };
    let script = INIT.replace("%MODULES%", &MODULES.join(" "));
    // Written last, so that it is there only with the rest.
    let made_from = folder.join("init");
    if fs::read_to_string(&made_from).is_ok_and(|present| present == script) {
        return Ok(system);
    }
    let unpacked = folder.join("packages");
    let kernel = unpack_kernel(&unpacked)?;
    if !unpacked.join("bin/busybox").is_file() {
        packages::extract(BUSYBOX, &unpacked)?;
    }
    fs::copy(unpacked.join("boot").join(format!("vmlinuz-{kernel}")), &system.kernel)
        .context("the kernel's package has no kernel")?;
    pack(&unpacked, &kernel, &script, &system.initrd)?;
    fs::write(made_from, script)?;
    Ok(system)
}

/// The version of the kernel that is unpacked in the folder, such as '6.1.0-56-cloud-amd64'.
fn unpack_kernel(unpacked: &Path) -> Result<String> {
    if let Some(version) = version_in(unpacked) {
        return Ok(version);
    }
    // The package by this name holds nothing; it depends on the kernel of the day.
    let mut image = kernel_of_the_day()?;
    if image.is_none()
        && let Some(apt) = Apt::find()
    {
        apt.update()?;
        image = kernel_of_the_day()?;
    }
    let Some(image) = image else {
        bail!("apt knows no kernel ({KERNEL}) for machines to boot");
    };
    packages::extract(&image, unpacked)?;
    version_in(unpacked).context("the kernel's package has no modules")
}

fn kernel_of_the_day() -> Result<Option<String>> {
    if !packages::on_path("apt-cache") {
        return Ok(None);
    }
    Ok(packages::dependencies(KERNEL)?.into_iter().find(|name| name.starts_with("linux-image-")))
}

fn version_in(unpacked: &Path) -> Option<String> {
    let folder = fs::read_dir(modules_in(unpacked)).ok()?.find_map(Result::ok)?;
    folder.file_name().into_string().ok()
}

/// Debian 13 moved them to /usr/lib.
fn modules_in(unpacked: &Path) -> PathBuf {
    ["lib/modules", "usr/lib/modules"]
        .into_iter()
        .map(|folder| unpacked.join(folder))
        .find(|folder| folder.is_dir())
        .unwrap_or_else(|| unpacked.join("lib/modules"))
}

/// Puts the script, busybox and the modules into an archive that the kernel unpacks into memory.
fn pack(unpacked: &Path, kernel: &str, script: &str, initrd: &Path) -> Result<()> {
    let tree = tempfile::tempdir_in(unpacked).context("cannot make a folder")?;
    let busybox = unpacked.join("bin/busybox");
    fs::create_dir(tree.path().join("bin"))?;
    fs::create_dir(tree.path().join("modules"))?;
    fs::copy(&busybox, tree.path().join("bin/busybox")).context("the busybox package has no busybox")?;
    fs::write(tree.path().join("init"), script)?;
    make_executable(&tree.path().join("init"))?;
    let modules = modules_in(unpacked).join(kernel).join("kernel");
    for module in MODULES {
        let file = format!("{module}.ko");
        match find(&modules, &file) {
            Some(found) => fs::copy(found, tree.path().join("modules").join(&file)).map(drop)?,
            None => bail!("{kernel} has no {file} below {}", modules.display()),
        }
    }
    // busybox itself packs it: one program less to ask for.
    let mut shell = Command::new(&busybox);
    shell
        .current_dir(tree.path())
        .args(["sh", "-euc", r#""$0" find . | "$0" cpio -o -H newc | "$0" gzip > "$1""#])
        .args([&busybox, initrd]);
    progress::step("Packing the system that machines boot", &mut shell)?;
    Ok(())
}

fn make_executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.filter_map(Result::ok).find_map(|entry| {
        let path = entry.path();
        if path.is_dir() { find(&path, name) } else { path.ends_with(name).then_some(path) }
    })
}
