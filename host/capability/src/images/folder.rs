//! The folder of images: a description (`NAME.toml`) for each, and the files that it names. What changes there counts at once.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::description::{Description, TITLE, Use};
use super::making::{self, Making};
use crate::libvirt::{Error, Image, ImageDisk, Machine, Result, Volume};

/// An image that is on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) purpose: Use,
    /// How large the volumes are at least that begin as it.
    pub(super) bytes: Option<u64>,
}

/// The images that machines and volumes begin as.
#[derive(Debug)]
pub struct Images {
    folder: PathBuf,
    changed: watch::Sender<()>,
    /// Ends with this.
    _watcher: Option<RecommendedWatcher>,
    /// Files whose faults were said.
    said: Mutex<HashSet<String>>,
    /// The names that are being given.
    naming: tokio::sync::Mutex<HashSet<String>>,
}

/// The most images there are: the query interface shows all of them to everybody.
const MOST: usize = 1000;

/// The longest name of one.
const NAME: usize = 63;

impl Images {
    /// Those in a folder, which is made where there is none.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        making::clear_up(folder)?;
        let (changed, _) = watch::channel(());
        let watcher = match watch(folder, changed.clone()) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(folder = %folder.display(), "images that come and go are not noticed: {error}");
                None
            }
        };
        let (said, naming) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { folder: folder.to_owned(), changed, _watcher: watcher, said, naming })
    }

    /// Ready each time that something has changed since it was asked for.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// All of them, in the order of their names.
    pub(super) async fn list(&self) -> Result<Vec<Listed>> {
        let folder = self.folder.clone();
        let (mut images, faults) = aside(move || read_all(&folder)).await??;
        if images.len() > MOST {
            tracing::error!("there are {} images, of which {MOST} are on offer", images.len());
            images.truncate(MOST);
        }
        self.say(faults);
        Ok(images)
    }

    /// The one of that name that machines begin as.
    pub(crate) async fn find(&self, name: &str) -> Result<Image> {
        Ok(self.find_for(Use::System, name).await?.image(&self.folder, name))
    }

    /// The disk of the one of that name that volumes begin as.
    pub(crate) async fn find_for_volume(&self, name: &str) -> Result<ImageDisk> {
        let disk = self.find_for(Use::Volume, name).await?.image_disk(&self.folder);
        disk.ok_or_else(|| missing(name))
    }

    async fn find_for(&self, purpose: Use, name: &str) -> Result<Description> {
        let (folder, wanted) = (self.folder.clone(), name.to_owned());
        let found = aside(move || read(&folder, &wanted)).await?;
        let found = found?.map_err(|fault| {
            Error::Failed(format!("the description of the image {name} is not right: {fault}"))
        })?;
        if found.purpose() == purpose { Ok(found) } else { Err(missing(name)) }
    }

    /// Makes one of a machine's disk; its name.
    pub(super) async fn make(&self, machine: &Machine, title: &str) -> Result<String> {
        let name = self.claim(title).await?;
        let made = self.make_as(machine, title, &name).await;
        self.naming.lock().await.remove(&name);
        made.map(|()| name)
    }

    /// Makes one of what is on a volume, for others to begin as; its name.
    pub(super) async fn make_of_volume(&self, volume: &Volume, title: &str) -> Result<String> {
        let name = self.claim(title).await?;
        let made = self.make_of_volume_as(volume, title, &name).await;
        self.naming.lock().await.remove(&name);
        made.map(|()| name)
    }

    async fn make_of_volume_as(&self, volume: &Volume, title: &str, name: &str) -> Result<()> {
        let making = self.begin(name)?;
        let disk = format!("{name}.qcow2");
        volume.copy_to(&self.folder.join(&disk), Arc::clone(&making)).await?;
        let description = Description {
            title: Some(title.to_owned()),
            purpose: Some(Use::Volume),
            disk: Some(disk),
            made_of: Some(volume.entity()),
            ..Description::default()
        };
        self.describe(name, description).await
    }

    async fn make_as(&self, machine: &Machine, title: &str, name: &str) -> Result<()> {
        let making = self.begin(name)?;
        let disk = format!("{name}.qcow2");
        let copy = machine.copy_disk(&self.folder.join(&disk), Arc::clone(&making)).await?;
        // How it boots is as the image says that the machine began as.
        let origin = match copy.began_as {
            Some(origin) => {
                let folder = self.folder.clone();
                aside(move || read(&folder, &origin)).await?.ok().and_then(Result::ok).unwrap_or_default()
            }
            None => Description::default(),
        };
        let description = Description {
            title: Some(title.to_owned()),
            disk: copy.has_disk.then_some(disk),
            format: None,
            made_of: Some(machine.entity()),
            ..origin
        };
        self.describe(name, description).await
    }

    /// Held by who waits for it and by the call that copies, which goes on where nobody waits any more.
    fn begin(&self, name: &str) -> Result<Arc<Making>> {
        Making::begin(&self.folder, name).map(Arc::new).map_err(|error| unreadable(&error))
    }

    async fn describe(&self, name: &str, mut description: Description) -> Result<()> {
        if let Some(title) = &mut description.title {
            title.truncate(title.floor_char_boundary(TITLE));
        }
        let (folder, name) = (self.folder.clone(), name.to_owned());
        aside(move || write(&folder, &name, &description)).await??;
        self.changed.send_replace(());
        Ok(())
    }

    /// Takes away one that was made of a machine or a volume.
    pub(super) async fn remove(&self, name: &str) -> Result<()> {
        let (folder, wanted) = (self.folder.clone(), name.to_owned());
        aside(move || remove(&folder, &wanted)).await??;
        self.changed.send_replace(());
        Ok(())
    }

    /// A name that is made of a title, and that no other image has or is about to have.
    async fn claim(&self, title: &str) -> Result<String> {
        let wanted = slug(title);
        let mut naming = self.naming.lock().await;
        let folder = self.folder.clone();
        let taken: HashSet<String> = aside(move || names(&folder)).await??;
        if taken.len() >= MOST {
            return Err(Error::Conflict(format!("there are {MOST} images: remove one first")));
        }
        let free = |name: &String| !taken.contains(name) && !naming.contains(name);
        let numbered = (2_u32..).map(|number| {
            let number = number.to_string();
            format!("{}-{number}", &wanted[..wanted.len().min(NAME - 1 - number.len())])
        });
        let name = std::iter::once(wanted.clone()).chain(numbered).find(free).unwrap_or(wanted);
        naming.insert(name.clone());
        Ok(name)
    }

    fn say(&self, faults: Vec<String>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for fault in faults.iter().filter(|fault| !said.contains(*fault)) {
            tracing::error!("an image is not on offer: {fault}");
        }
        *said = faults.into_iter().collect();
    }
}

fn watch(folder: &Path, changed: watch::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let counts = match &event {
            Ok(event) => {
                event.need_rescan()
                    || matches!(
                        event.kind,
                        EventKind::Access(AccessKind::Close(AccessMode::Write))
                            | EventKind::Modify(ModifyKind::Name(_))
                            | EventKind::Remove(_)
                    )
            }
            Err(_) => true,
        };
        if counts {
            changed.send_replace(());
        }
    })?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    spawn_blocking(work)
        .await
        .map_err(|_| Error::Failed("the folder of images could not be looked at".into()))
}

fn unreadable(error: &std::io::Error) -> Error {
    tracing::error!("the folder of images: {error}");
    Error::Unavailable("the images cannot be read now; try again later".into())
}

/// The names of all files that describe an image, and those of disks that are being made.
fn names(folder: &Path) -> Result<HashSet<String>> {
    let mut names = HashSet::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(&error))? {
        let file = entry.map_err(|error| unreadable(&error))?.file_name();
        if let Some((stem, "toml" | "qcow2" | "making")) =
            file.to_str().and_then(|file| file.rsplit_once('.'))
        {
            names.insert(stem.to_owned());
        }
    }
    Ok(names)
}

/// The images that are described, and what is wrong with other descriptions.
fn read_all(folder: &Path) -> Result<(Vec<Listed>, Vec<String>)> {
    let (mut images, mut faults) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(&error))? {
        let path = entry.map_err(|error| unreadable(&error))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        match read(folder, name) {
            Ok(Ok(description)) => match listed(folder, name, description) {
                Ok(image) => images.push(image),
                Err(fault) => faults.push(format!("{}: its disk: {fault}", path.display())),
            },
            Ok(Err(fault)) => faults.push(format!("{}: {fault}", path.display())),
            // It went while we looked.
            Err(Error::Missing(_)) => {}
            Err(error) => faults.push(format!("{}: {error}", path.display())),
        }
    }
    images.sort_by(|one, other| one.name.cmp(&other.name));
    Ok((images, faults))
}

fn listed(folder: &Path, name: &str, description: Description) -> std::io::Result<Listed> {
    let purpose = description.purpose();
    let disk = description.image_disk(folder).filter(|_| purpose == Use::Volume);
    let bytes = disk.map(|disk| disk.bytes()).transpose()?;
    Ok(Listed { name: name.to_owned(), title: description.title, purpose, bytes })
}

fn missing(name: &str) -> Error {
    Error::Missing(format!("there is no such image as {name}"))
}

/// A description, or what is wrong with it.
fn read(folder: &Path, name: &str) -> Result<std::result::Result<Description, String>> {
    if !is_name(name) {
        let fault = "a name is of a to z, 0 to 9, `-` and `_`, a letter first, at most 63 characters";
        return Ok(Err(fault.to_owned()));
    }
    match std::fs::read_to_string(folder.join(name).with_extension("toml")) {
        Ok(text) => {
            let described = Description::parse(&text);
            Ok(described.and_then(|description| check_files(folder, &description).map(|()| description)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err(missing(name)),
        Err(error) => Ok(Err(error.to_string())),
    }
}

fn check_files(folder: &Path, description: &Description) -> std::result::Result<(), String> {
    let files = [&description.disk, &description.kernel, &description.initrd];
    match files.into_iter().flatten().find(|file| !folder.join(file).is_file()) {
        Some(missing) => Err(format!("there is no file {missing} beside it")),
        None => Ok(()),
    }
}

/// There whole or not at all.
fn write(folder: &Path, name: &str, description: &Description) -> Result<()> {
    let failed =
        |error: &dyn std::fmt::Display| Error::Failed(format!("the image could not be described: {error}"));
    let text = toml::to_string(description).map_err(|error| failed(&error))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|error| failed(&error))?;
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    file.persist(folder.join(name).with_extension("toml")).map_err(|error| failed(&error))?;
    Ok(())
}

fn remove(folder: &Path, name: &str) -> Result<()> {
    let description = match read(folder, name) {
        Err(Error::Missing(_)) => return Ok(()),
        read => read?.map_err(Error::Failed)?,
    };
    if description.made_of.is_none() {
        return Err(Error::Denied(format!("the image {name} is the operator's")));
    }
    let disk = description.disk.map(|disk| folder.join(disk));
    for file in std::iter::once(folder.join(name).with_extension("toml")).chain(disk) {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unreadable(&error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// A term of OCCI that is also the name of a file anywhere.
fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    name.len() <= NAME && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(inner)
}

/// The name that is like a title.
fn slug(title: &str) -> String {
    let mut name = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' | '_' => name.push(c),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name.insert_str(0, "image-");
    }
    name.truncate(NAME);
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libvirt::DiskFormat;

    #[test]
    fn a_title_makes_a_name() {
        for (title, name) in [
            ("Before the upgrade", "before-the-upgrade"),
            ("  Web: 12 / Übung ", "web-12-bung"),
            ("12", "image-12"),
            ("", "image"),
            ("---", "image"),
            ("日本", "image"),
        ] {
            assert_eq!(slug(title), name, "{title:?}");
            assert!(is_name(&slug(title)), "{title:?}");
        }
        assert!(is_name(&slug(&"long title ".repeat(20))));
    }

    #[tokio::test]
    async fn what_is_in_the_folder_is_on_offer() {
        let folder = tempfile::tempdir().unwrap();
        let images = Images::open(folder.path()).unwrap();
        assert_eq!(images.list().await, Ok(vec![]));
        let put = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
        put("b.qcow2", "");
        put("b.toml", "title = \"B\"\ndisk = \"b.qcow2\"");
        put("a.toml", "");
        put("broken.toml", "disk = 1");
        put("lacking.toml", "disk = \"none.qcow2\"");
        put("Wrong Name.toml", "");
        put("readme.txt", "");
        let names: Vec<_> = images.list().await.unwrap().into_iter().map(|image| image.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(images.find("b").await.unwrap().title.as_deref(), Some("B"));
        assert_eq!(images.find("c").await.map_err(|error| error.code()), Err("missing"));
        assert_eq!(images.find("../b").await.map_err(|error| error.code()), Err("failed"));
        assert_eq!(images.remove("b").await.map_err(|error| error.code()), Err("denied"));
        assert_eq!(images.remove("c").await, Ok(()));
    }

    #[tokio::test]
    async fn what_volumes_begin_as_is_apart() {
        let folder = tempfile::tempdir().unwrap();
        let images = Images::open(folder.path()).unwrap();
        let put = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
        put("data.raw", &"d".repeat(1000));
        put("data.toml", "use = \"volume\"\ndisk = \"data.raw\"\nformat = \"raw\"");
        put("system.toml", "use = \"system\"");
        put("broken.toml", "use = \"volume\"\ndisk = \"data.raw\"");
        let listed: Vec<_> =
            images.list().await.unwrap().into_iter().map(|image| (image.name, image.bytes)).collect();
        assert_eq!(
            listed,
            [("data".to_owned(), Some(1024)), ("system".to_owned(), None)],
            "broken is no qcow2"
        );
        assert_eq!(images.find_for_volume("data").await.map(|disk| disk.format), Ok(DiskFormat::Raw));
        assert_eq!(images.find("data").await.map_err(|error| error.code()), Err("missing"));
        assert_eq!(images.find_for_volume("system").await.map_err(|error| error.code()), Err("missing"));
    }

    #[tokio::test]
    async fn no_two_get_one_name() {
        let folder = tempfile::tempdir().unwrap();
        let images = Images::open(folder.path()).unwrap();
        std::fs::write(folder.path().join("web.toml"), "").unwrap();
        assert_eq!(images.claim("Web").await.as_deref(), Ok("web-2"));
        assert_eq!(images.claim("Web").await.as_deref(), Ok("web-3"));
        let long = "w".repeat(70);
        assert_eq!(images.claim(&long).await.map(|name| name.len()), Ok(63));
        assert!(images.claim(&long).await.unwrap().ends_with("-2"));
    }

    #[tokio::test]
    async fn a_title_that_is_too_long_is_shortened() {
        let folder = tempfile::tempdir().unwrap();
        let images = Images::open(folder.path()).unwrap();
        let description = Description { title: Some("ü".repeat(200)), ..Description::default() };
        images.describe("long", description).await.unwrap();
        assert_eq!(images.find("long").await.unwrap().title, Some("ü".repeat(127)));
    }

    #[tokio::test]
    async fn a_change_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let images = Images::open(folder.path()).unwrap();
        let mut changes = images.changes();
        std::fs::write(folder.path().join("a.toml"), "").unwrap();
        tokio::time::timeout(std::time::Duration::from_secs(10), changes.changed()).await.unwrap().unwrap();
    }
}
