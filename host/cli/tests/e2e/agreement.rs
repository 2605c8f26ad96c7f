//! Operations that go wrong half-way: what there is before each of them, and whether store and hypervisor agree afterwards.

mod compare;
mod content;
mod operations;

use crate::http::Request;
use crate::occi::{action, body, kind};
use crate::server::{GuestSystem, Options, PATIENCE, Server, eventually};
use content::{Content, Pool};
pub(crate) use operations::{ACROSS, MOVES, Move, OPERATIONS, Operation};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use uuid::Uuid;

const SMALL: &str = "Category: small; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#\"; class=\"mixin\"";
const IMAGE: &str =
    "Category: tiny; scheme=\"http://example.org/occi/infrastructure/os_tpl#\"; class=\"mixin\"";
const OTHER_IMAGE: &str =
    "Category: other; scheme=\"http://example.org/occi/infrastructure/os_tpl#\"; class=\"mixin\"";

/// A server, whose hypervisor others use, too: what is ours there is known by how its ids begin.
pub(crate) struct Stage {
    pub(crate) server: Server,
    ours: String,
    /// Where its volumes are, at each hypervisor whose volumes hold something.
    pools: Vec<Pool>,
    content: Option<Content>,
}

impl Stage {
    /// On a hypervisor, or those that are configured by `more`, with two images that are described so, whose files are put into
    /// their folder before. `daemons` is where those are reached that have real volumes.
    pub(crate) fn new(
        hypervisor: Option<String>,
        daemons: &[&str],
        volumes: &str,
        more: &str,
        image: &str,
        files: impl FnOnce(&Path),
    ) -> Self {
        let pool = format!("occi-faults-{}", Uuid::new_v4());
        let bridge = "[[hypervisor.bridge]]\nname = \"public\"\ndevice = \"occi-br0\"\n";
        let config = format!(
            "compatibility = \"1.1\"\n[hypervisor]\npool = \"{pool}\"\nvolumes = \"{volumes}/{pool}\"\n{more}{bridge}"
        );
        let server = Server::with(Options { config, hypervisor, ..Options::default() });
        let ours = Uuid::new_v4().to_string()[..8].to_owned();
        let pools = daemons.iter().map(|uri| Pool::new(uri, &pool)).collect::<Vec<_>>();
        let content = (!pools.is_empty()).then(Content::new);
        let stage = Self { server, ours, pools, content };
        files(&stage.images());
        for name in ["tiny", "other"] {
            std::fs::write(stage.images().join(name).with_extension("toml"), image).unwrap();
        }
        let is_offered = |name: &str| stage.server.get("/-/").answers(200).body.contains(name);
        eventually("both are on offer", || is_offered("Category: tiny;") && is_offered("Category: other;"));
        stage
    }

    /// On QEMU, with an image that boots.
    pub(crate) fn on_qemu(
        system: &GuestSystem,
        hypervisor: Option<String>,
        daemons: &[&str],
        more: &str,
    ) -> Self {
        Self::on_qemu_within(system, hypervisor, daemons, "/var/lib/occi", more)
    }

    /// The same, with its volumes below a folder.
    pub(crate) fn on_qemu_within(
        system: &GuestSystem,
        hypervisor: Option<String>,
        daemons: &[&str],
        volumes: &str,
        more: &str,
    ) -> Self {
        let line = GuestSystem::COMMAND_LINE;
        let image =
            format!("disk = \"tiny.qcow2\"\nkernel = \"vmlinuz\"\ninitrd = \"initrd\"\ncmdline = {line:?}\n");
        let more = format!("domain-type = \"qemu\"\n{more}");
        Self::new(hypervisor, daemons, volumes, &more, &image, |images| {
            symlink(&system.kernel, images.join("vmlinuz")).unwrap();
            symlink(&system.initrd, images.join("initrd")).unwrap();
            let mut make = Command::new("qemu-img");
            make.args(["create", "-q", "-f", "qcow2"]).arg(images.join("tiny.qcow2")).arg("16M");
            assert!(make.status().unwrap().success());
        })
    }

    /// The folder of images.
    pub(crate) fn images(&self) -> PathBuf {
        self.server.data().join("images")
    }

    /// How the names of what is ours at the hypervisor begin.
    pub(crate) fn ours(&self) -> String {
        format!("occi-{}", self.ours)
    }

    /// Deletes everything, and what was saved; nothing is left.
    #[track_caller]
    pub(crate) fn clear(&self, said: &str) {
        let began = Instant::now();
        loop {
            let answer = self.server.delete("/").send();
            if answer.status == 200 {
                break;
            }
            // A libvirtd that was killed waits half a minute for a QEMU that it had begun, and nobody may touch that meanwhile.
            assert!(began.elapsed() < 4 * PATIENCE, "not all can be deleted: {answer}\nafter {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
        eventually("nothing is left", || self.disagreement().is_none());
        for file in std::fs::read_dir(self.images()).unwrap().map(|file| file.unwrap().path()) {
            if is_saved(&file) {
                std::fs::remove_file(file).unwrap();
            }
        }
        // Nor what has another name, such as a volume that was on its way to another hypervisor.
        for pool in &self.pools {
            let began = Instant::now();
            loop {
                let left = pool.volumes();
                if left.is_empty() {
                    break;
                }
                assert!(began.elapsed() < PATIENCE, "in the pool is still {left:?}\nafter {said}");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }

    /// Whether machines boot here, and print something.
    pub(crate) fn boots(&self) -> bool {
        self.content.is_some()
    }

    /// Waits until store and hypervisor agree.
    #[track_caller]
    pub(crate) fn agrees(&self, said: &str) {
        let began = Instant::now();
        while let Some(why) = self.disagreement() {
            assert!(began.elapsed() < PATIENCE, "{why}\nafter {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// An entity of that Kind, asked for by an id of ours; its path.
    fn put(&self, term: &str, mixins: &[&str], attributes: &[&str]) -> (String, Request) {
        let path = format!("/{term}/{}{}", self.ours, &Uuid::new_v4().to_string()[8..]);
        let kind = kind(term);
        let categories: Vec<_> = std::iter::once(&*kind).chain(mixins.iter().copied()).collect();
        let request = self.server.put(&path).text(body(&categories, attributes));
        (path, request)
    }

    /// Whether an entity shows these words.
    fn shows(&self, path: &str, words: &str) -> bool {
        self.server.get(path).answers(200).body.contains(words)
    }

    /// Whether any entity of a Kind does.
    fn any(&self, term: &str, words: &str) -> bool {
        let all = self.server.get(&format!("/{term}/")).answers(200).locations();
        all.iter().any(|path| self.shows(path, words))
    }

    fn is_gone(&self, path: &str) -> bool {
        self.server.get(path).send().status == 404
    }

    /// Whether there is an image that was made, whole, by such a name.
    fn saved(&self, name: &str) -> bool {
        let files = std::fs::read_dir(self.images()).unwrap().map(|file| file.unwrap().path());
        let mut described = files.filter(|file| file.extension().is_some_and(|end| end == "toml"));
        described.any(|file| {
            file.file_stem().unwrap().to_str().unwrap().starts_with(name)
                && (!self.boots() || content::is_whole(&file.with_extension("qcow2")))
        })
    }

    fn act(&self, path: &str, term: &str, parameters: &[&str]) -> Request {
        let kind = path.split('/').nth(1).unwrap();
        self.server.post(&format!("{path}?action={term}")).text(body(&[&action(kind, term)], parameters))
    }

    #[track_caller]
    fn create(&self, term: &str, mixins: &[&str], attributes: &[&str]) -> String {
        let (path, request) = self.put(term, mixins, attributes);
        request.answers(201);
        path
    }

    /// Has an entity's thing go to the other of two hypervisors, north and south; whether it did, and what was said.
    pub(crate) fn moves(&self, path: &str) -> (bool, String) {
        let list = match path.split('/').nth(1) {
            Some("compute") => "machines",
            Some("storage") => "volumes",
            _ => "networks",
        };
        let is_north = self.server.at_hypervisor(list, path, "node") == Some("north".into());
        let to = if is_north { "south" } else { "north" };
        let (is_done, said) = self.server.node(&["move", path, to]);
        (is_done, format!("to {to}: {said}"))
    }

    /// Has what there is before an operation run.
    pub(crate) fn start(&self, before: &mut Before) {
        operations::run(self, before);
    }

    /// What there is before an operation.
    pub(crate) fn prepare(&self) -> Before {
        let compute = self.create("compute", &[SMALL, IMAGE], &[]);
        let network = self.create("network", &[], &[]);
        let storage = self.create("storage", &[], &["occi.storage.size=1"]);
        let links = [
            self.server.link("networkinterface", &compute, &network),
            self.server.link("storagelink", &compute, &storage),
        ];
        if let Some(content) = &self.content {
            content.write(&self.pools[self.node(&storage)], &storage);
        }
        Before { compute, network, storage, links, range: Range::any() }
    }

    /// Which of the hypervisors, in the order of the configuration, has a volume.
    fn node(&self, storage: &str) -> usize {
        if self.pools.len() == 1 {
            return 0;
        }
        let node = self.server.at_hypervisor("volumes", storage, "node");
        usize::from(node != Some("north".into()))
    }

    /// What was written to the volume is on it, where the storage is still there.
    #[track_caller]
    pub(crate) fn holds(&self, before: &Before, said: &str) {
        let Some(content) = &self.content else { return };
        if !self.is_gone(&before.storage) {
            content.check(&self.pools[self.node(&before.storage)], &before.storage, said);
        }
    }

    /// What a done operation leads to comes to be.
    #[track_caller]
    pub(crate) fn has_led(&self, operation: &Operation, before: &Before, said: &str) {
        let began = Instant::now();
        while !(operation.leads)(self, before) {
            assert!(began.elapsed() < PATIENCE, "it has not led to what it should\nafter {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Whether a file is of an image that was made in a test.
fn is_saved(file: &Path) -> bool {
    let name = file.file_name().unwrap().to_str().unwrap();
    ["saved", "storage-"].iter().any(|begin| name.starts_with(begin))
}

/// What there is before an operation.
pub(crate) struct Before {
    pub(crate) compute: String,
    network: String,
    pub(crate) storage: String,
    pub(crate) links: [String; 2],
    range: Range,
}

/// Addresses of a network that nobody else has: tests share the host's.
struct Range([u8; 2]);

impl Range {
    fn any() -> Self {
        let [one, other, ..] = Uuid::new_v4().into_bytes();
        Self([one | 128, other])
    }

    fn address(&self, last: u8) -> String {
        format!("10.{}.{}.{last}", self.0[0], self.0[1])
    }

    fn plan(&self) -> [String; 2] {
        let network = format!("occi.network.address=\"{}/24\"", self.address(0));
        [network, "occi.network.allocation=\"dynamic\"".into()]
    }
}
