//! Where the story is told: which hypervisor, and the files of the server that speaks to it.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::guest_system::{self, GuestSystem};
use crate::workspace::Workspace;

/// libvirt's built-in test driver, which is the server's default.
pub(super) const EMBEDDED: &str = "test:///default";

pub(super) struct Stage {
    /// For people.
    pub(super) title: String,
    /// The hypervisor's URI.
    pub(super) uri: String,
    /// The server's program.
    pub(super) program: PathBuf,
    pub(super) address: SocketAddr,
    /// Everything below is in this folder, which begins empty.
    pub(super) folder: PathBuf,
    /// Whether the server needs a configuration; the embedded defaults need none.
    pub(super) config: Option<PathBuf>,
    /// Where machines that boot leave what they print; none where they do not boot.
    pub(super) consoles: Option<PathBuf>,
}

/// The name of the image that computes begin as.
pub(super) const IMAGE: &str = "linux";

impl Stage {
    /// The server with all its defaults.
    pub(super) fn embedded(workspace: &Workspace) -> Result<Self> {
        Self::new(
            workspace,
            "embedded",
            EMBEDDED,
            "test:///default, libvirt's test driver within the server".to_owned(),
        )
    }

    /// The same, in a folder that the next demonstration leaves alone.
    pub(super) fn to_stay(workspace: &Workspace) -> Result<Self> {
        Self::new(workspace, "stay", EMBEDDED, EMBEDDED.to_owned())
    }

    /// The server on a libvirt daemon, with a system for machines to boot.
    pub(super) fn on_libvirt(
        workspace: &Workspace,
        uri: &str,
        title: String,
        system: &GuestSystem,
    ) -> Result<Self> {
        let mut stage = Self::new(workspace, "libvirt", uri, title)?;
        let consoles = stage.folder.join("consoles");
        let images = stage.images();
        let volumes = stage.folder.join("volumes");
        let config = Config {
            hypervisor: Hypervisor {
                uri: uri.to_owned(),
                volumes: volumes.clone(),
                consoles: consoles.clone(),
                images: images.clone(),
                boot: Boot {
                    kernel: system.kernel.clone(),
                    initrd: system.initrd.clone(),
                    cmdline: guest_system::COMMAND_LINE,
                },
            },
        };
        let file = stage.folder.join("occi.toml");
        for folder in [&consoles, &volumes, &images] {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        lay_out_image(&images, system)?;
        fs::write(&file, toml::to_string(&config)?).context("cannot write the server's configuration")?;
        stage.config = Some(file);
        stage.consoles = Some(consoles);
        Ok(stage)
    }

    fn new(workspace: &Workspace, name: &str, uri: &str, title: String) -> Result<Self> {
        let folder = workspace.target.join("demo").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        // Free now, and very likely still free when the server takes it; chosen here so that it is the same after the
        // server was killed.
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr())?;
        let program = workspace.release().join("occi");
        Ok(Self { title, uri: uri.to_owned(), program, address, folder, config: None, consoles: None })
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The folder with what computes begin as.
    pub(super) fn images(&self) -> PathBuf {
        self.folder.join("images")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }
}

/// An image whose disk is empty and whose kernel is the guest system's.
fn lay_out_image(folder: &Path, system: &GuestSystem) -> Result<()> {
    for (file, from) in [("vmlinuz", &system.kernel), ("initrd.gz", &system.initrd)] {
        fs::copy(from, folder.join(file)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    fs::File::create(folder.join("disk.raw"))?.set_len(64 << 20)?;
    let description = format!(
        "title = \"Linux\"\ndisk = \"disk.raw\"\nformat = \"raw\"\nkernel = \"vmlinuz\"\ninitrd = \"initrd.gz\"\ncmdline = \"{}\"\n",
        guest_system::COMMAND_LINE
    );
    fs::write(folder.join(IMAGE).with_extension("toml"), description)
        .context("cannot write an image's description")
}

/// The part of the server's configuration that the demonstration sets.
#[derive(Serialize)]
struct Config {
    hypervisor: Hypervisor,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Hypervisor {
    uri: String,
    volumes: PathBuf,
    consoles: PathBuf,
    images: PathBuf,
    boot: Boot,
}

#[derive(Serialize)]
struct Boot {
    kernel: PathBuf,
    initrd: PathBuf,
    cmdline: &'static str,
}
