//! What an operator says of an image: a file `NAME.toml` in the folder of images.
//!
//! ```toml
//! title = "Debian 12"                 # for people
//! use = "system"                      # or "volume": what volumes begin as, with no more than `disk` and `format`
//! disk = "debian-12.qcow2"            # a file in this folder; left out, machines have no system disk
//! format = "qcow2"                    # or "raw"
//! kernel = "vmlinuz"                  # left out: the disk boots by itself
//! initrd = "initrd.img"
//! cmdline = "root=/dev/vda1 console=ttyS0"
//! ```

use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::libvirt::{Boot, DiskFormat, Image, ImageDisk};

/// What begins as an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Use {
    /// The system of a machine.
    #[default]
    System,
    /// A volume.
    Volume,
}

impl Use {
    /// The word that a manifest selects by; none for what is meant where it has none.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Volume => Some("volume"),
        }
    }
}

/// The file as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Description {
    pub(super) title: Option<String>,
    /// Left out: a system.
    #[serde(rename = "use")]
    pub(super) purpose: Option<Use>,
    pub(super) disk: Option<String>,
    pub(super) format: Option<DiskFormat>,
    pub(super) kernel: Option<String>,
    pub(super) initrd: Option<String>,
    pub(super) cmdline: Option<String>,
    /// The entity of whose machine it was made; none of an operator's.
    pub(super) made_of: Option<Uuid>,
}

/// How long a title may be, in bytes: the query interface shows all.
pub(super) const TITLE: usize = 255;

impl Description {
    /// Reads a description, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let description: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let files = [&description.disk, &description.kernel, &description.initrd];
        for file in files.into_iter().flatten() {
            if file.is_empty() || file.contains(['/', '\0']) || file.starts_with('.') {
                return Err(format!("{file:?} is not the name of a file in the same folder"));
            }
        }
        if description.kernel.is_none() && (description.initrd.is_some() || description.cmdline.is_some()) {
            return Err("`initrd` and `cmdline` are for a `kernel`, which is missing".into());
        }
        if description.title.as_ref().is_some_and(|title| title.len() > TITLE) {
            return Err(format!("`title` has more than {TITLE} bytes"));
        }
        let is_of_volume = description.purpose() == Use::Volume;
        if is_of_volume && (description.disk.is_none() || description.kernel.is_some()) {
            return Err("what volumes begin as has a `disk`, and no `kernel`".into());
        }
        Ok(description)
    }

    /// What begins as it.
    pub(super) fn purpose(&self) -> Use {
        self.purpose.unwrap_or_default()
    }

    /// The disk that it names, in this folder.
    pub(super) fn image_disk(&self, folder: &Path) -> Option<ImageDisk> {
        let (file, format) = (folder.join(self.disk.as_ref()?), self.format.unwrap_or_default());
        Some(ImageDisk { file, format })
    }

    /// What machines begin as by it.
    pub(super) fn image(self, folder: &Path, name: &str) -> Image {
        let file = |file: String| folder.join(file);
        Image {
            name: name.to_owned(),
            disk: self.image_disk(folder),
            title: self.title,
            boot: self.kernel.map(|kernel| Boot {
                kernel: file(kernel),
                initrd: self.initrd.map(file),
                cmdline: self.cmdline,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_says_what_a_machine_begins_as() {
        let text =
            "title = \"Small\"\ndisk = \"a.raw\"\nformat = \"raw\"\nkernel = \"k\"\ncmdline = \"quiet\"";
        let image = Description::parse(text).unwrap().image(Path::new("/images"), "small");
        assert_eq!(image.title.as_deref(), Some("Small"));
        assert_eq!(image.disk, Some(ImageDisk { file: "/images/a.raw".into(), format: DiskFormat::Raw }));
        let boot = Boot { kernel: "/images/k".into(), initrd: None, cmdline: Some("quiet".into()) };
        assert_eq!(image.boot, Some(boot));
    }

    #[test]
    fn what_is_wrong_with_one_is_said() {
        for (text, said) in [
            ("disk = \"../../etc/passwd\"", "same folder"),
            ("disk = \"/etc/passwd\"", "same folder"),
            ("disk = \"\"", "same folder"),
            ("kernel = \".hidden\"", "same folder"),
            ("cmdline = \"quiet\"", "`kernel`"),
            ("disc = \"a\"", "unknown field"),
            ("format = \"vmdk\"", "unknown variant"),
            ("title", "expected"),
            ("use = \"volume\"", "`disk`"),
            ("use = \"volume\"\ndisk = \"a\"\nkernel = \"k\"", "no `kernel`"),
            ("use = \"network\"", "unknown variant"),
        ] {
            let error = Description::parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
        assert!(Description::parse(&format!("title = \"{}\"", "t".repeat(256))).is_err());
    }
}
