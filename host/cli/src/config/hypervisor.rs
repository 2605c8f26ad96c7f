//! The hypervisors, and what machines get there.

use super::bridge::{self, Bridge};
use anyhow::ensure;
use occi_capability::libvirt::DiskFormat;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Hypervisor {
    pub(crate) uri: String,
    pub(crate) domain_type: DomainType,
    pub(crate) pool: String,
    pub(crate) volumes: PathBuf,
    pub(crate) shared_volumes: bool,
    pub(crate) format: DiskFormat,
    pub(crate) consoles: Option<PathBuf>,
    pub(crate) images: Option<PathBuf>,
    pub(crate) memory_mib: u64,
    pub(crate) cores: u32,
    pub(crate) translate: bool,
    pub(crate) short_seconds: u64,
    pub(crate) long_seconds: u64,
    pub(crate) reconcile_seconds: u64,
    pub(crate) boot: Option<Boot>,
    /// Those of the hosts that networks may be joined to.
    pub(crate) bridge: Vec<Bridge>,
    /// Several of them, in place of the one at `uri`.
    pub(crate) node: Vec<Node>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DomainType {
    Auto,
    Kvm,
    Qemu,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Boot {
    pub(crate) kernel: PathBuf,
    pub(crate) initrd: Option<PathBuf>,
    pub(crate) cmdline: Option<String>,
}

/// One of several hypervisors.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) uri: String,
    #[serde(default)]
    pub(crate) labels: BTreeSet<String>,
    /// Whether something new may come to be there.
    #[serde(default = "yes")]
    pub(crate) takes_new: bool,
    /// Where its QEMU is reached by that of another one.
    pub(crate) migration: Option<String>,
}

fn yes() -> bool {
    true
}

impl Default for Hypervisor {
    fn default() -> Self {
        Self {
            uri: "test:///default".into(),
            domain_type: DomainType::Auto,
            pool: "occi".into(),
            volumes: "/var/lib/occi/volumes".into(),
            shared_volumes: false,
            format: DiskFormat::default(),
            consoles: None,
            images: None,
            memory_mib: 512,
            cores: 1,
            translate: true,
            short_seconds: 15,
            long_seconds: 25,
            reconcile_seconds: 600,
            boot: None,
            bridge: Vec::new(),
            node: Vec::new(),
        }
    }
}

impl Hypervisor {
    /// All of them: those that are named, or the only one.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        if self.node.is_empty() {
            let (name, uri) = ("default".to_owned(), self.uri.clone());
            return vec![Node { name, uri, labels: BTreeSet::new(), takes_new: true, migration: None }];
        }
        self.node.clone()
    }

    /// What the types cannot say.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let pool = &self.pool;
        ensure!(
            !pool.is_empty() && !pool.contains('/') && !pool.contains(char::is_control),
            "`hypervisor.pool` is the name of a storage pool, without `/`, such as \"occi\""
        );
        bridge::check(&self.bridge)?;
        let is_word = |text: &str| {
            (1..=63).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let mut names = BTreeSet::new();
        let mut uris = BTreeSet::new();
        for Node { name, uri, labels, migration, .. } in &self.node {
            let is_place = |place: &String| place.starts_with("tcp://") || place.starts_with("unix:///");
            ensure!(
                migration.as_ref().is_none_or(is_place),
                "`hypervisor.node`: the `migration` of {name} is neither of the form tcp://ADDRESS nor of the form unix:///FOLDER"
            );
            ensure!(uris.insert(uri), "`hypervisor.node`: two of them are at {uri}");
            for word in labels.iter().chain([name]) {
                ensure!(
                    is_word(word),
                    "`hypervisor.node`: {word:?} is no name and no label: these have 1 to 63 of A-Z, a-z, 0-9, `-`, `_` and `.`"
                );
            }
            ensure!(names.insert(name), "`hypervisor.node`: two of them are named {name}");
        }
        ensure!(
            self.node.is_empty() || self.node.iter().any(|node| node.takes_new),
            "`hypervisor.node`: none of them `takes-new`, so that nothing can be made"
        );
        let forgets = |node: &&Node| node.uri.starts_with("test:///");
        let forgetful = self.node.iter().filter(forgets).count();
        ensure!(
            forgetful == 0 || forgetful == self.node.len(),
            "`hypervisor.node`: libvirt's test driver, which forgets its machines with the server, stands beside hypervisors that do not"
        );
        Ok(())
    }

    /// Whether folders are named as libvirt wants them, and the files that machines boot from are there; those of a
    /// hypervisor on another host are not ours to see.
    pub(crate) fn check_files(&self) -> anyhow::Result<()> {
        let folders = [
            ("volumes", Some(&self.volumes)),
            ("consoles", self.consoles.as_ref()),
            ("images", self.images.as_ref()),
        ];
        for (name, folder) in folders {
            if let Some(folder) = folder {
                let shown = folder.display();
                ensure!(
                    folder.is_absolute(),
                    "`hypervisor.{name}`: `{shown}` is no absolute path, such as /var/lib/occi/{name}"
                );
            }
        }
        let is_here = |node: &Node| node.uri.contains(":///");
        let Some(boot) = self.boot.as_ref().filter(|_| self.nodes().iter().any(is_here)) else {
            return Ok(());
        };
        for (name, file) in [("kernel", Some(&boot.kernel)), ("initrd", boot.initrd.as_ref())] {
            if let Some(file) = file {
                ensure!(file.is_file(), "`hypervisor.boot.{name}`: there is no file {}", file.display());
            }
        }
        Ok(())
    }
}
