//! A hypervisor that does not answer, and comes back.

use crate::server::{Options, Server};
use occi_services::service;
use serde_json::json;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Between the server and libvirtd; nothing gets through while it holds.
struct Between {
    folder: tempfile::TempDir,
    holds: Arc<AtomicBool>,
    /// Nothing gets through by the first so many connections.
    old: Arc<AtomicUsize>,
    /// How many connections there were.
    connections: Arc<AtomicUsize>,
    /// The call after which it holds, and how many such come before: that one is carried out, and nobody hears of it.
    last: Arc<Mutex<Option<(u32, u32)>>>,
    /// The call with which it begins to hold; 0 is none.
    first: Arc<AtomicU32>,
}

/// Calls by their numbers in libvirt's protocol (`remote_protocol.x`).
const DEFINE: u32 = 11;
const DELETE_VOLUME: u32 = 94;
const UNDEFINE: u32 = 231;

impl Between {
    fn new(daemon: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let (holds, last) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let (held, until) = (Arc::clone(&holds), Arc::clone(&last));
        let (old, connections) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (kept, count, first) = (Arc::clone(&old), Arc::clone(&connections), Arc::<AtomicU32>::default());
        let begins = Arc::clone(&first);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let number = count.fetch_add(1, Ordering::Relaxed);
                let Ok(server) = UnixStream::connect(&daemon) else { continue };
                let (Ok(to), Ok(from)) = (server.try_clone(), client.try_clone()) else { continue };
                for (from, to) in [(client, to), (server, from)] {
                    let (held, kept, until) = (Arc::clone(&held), Arc::clone(&kept), Arc::clone(&until));
                    let begins = Arc::clone(&begins);
                    std::thread::spawn(move || {
                        let holds = |call: Option<u32>| {
                            if call.is_some_and(|call| call == begins.load(Ordering::Relaxed)) {
                                held.store(true, Ordering::Relaxed);
                                begins.store(0, Ordering::Relaxed);
                            }
                            held.load(Ordering::Relaxed) || number < kept.load(Ordering::Relaxed)
                        };
                        pass(from, to, &holds, &held, &until);
                    });
                }
            }
        });
        Self { folder, holds, old, connections, last, first }
    }

    /// Lets through what comes by connections from now on, and keeps what came by others.
    fn keep_the_old(&self) {
        self.old.store(self.connections.load(Ordering::Relaxed), Ordering::Relaxed);
        self.holds.store(false, Ordering::Relaxed);
    }

    fn socket(&self) -> String {
        self.folder.path().join("socket").to_str().unwrap().to_owned()
    }

    /// Does something of which libvirtd carries out that call and no more, until the other side gives up.
    fn after(&self, call: u32, work: impl FnOnce()) {
        self.after_some(0, call, work);
    }

    /// The same after so many such calls before.
    fn after_some(&self, before: u32, call: u32, work: impl FnOnce()) {
        *self.last.lock().unwrap() = Some((call, before));
        work();
        assert!(self.holds.swap(false, Ordering::Relaxed), "the call {call} was not made");
    }
}

/// Passes messages on: each begins with its length, and has the call's number after two words of 32 bits.
fn pass(
    mut from: UnixStream,
    mut to: UnixStream,
    holds: &dyn Fn(Option<u32>) -> bool,
    held: &AtomicBool,
    last: &Mutex<Option<(u32, u32)>>,
) {
    let (mut length, mut was_held) = ([0; 4], false);
    while from.read_exact(&mut length).is_ok() {
        let mut rest = vec![0; (u32::from_be_bytes(length) as usize).saturating_sub(length.len())];
        if from.read_exact(&mut rest).is_err() {
            break;
        }
        let call = rest.get(8..12).map(|call| u32::from_be_bytes(call.try_into().unwrap()));
        while holds(call) {
            was_held = true;
            std::thread::sleep(Duration::from_millis(20));
        }
        {
            let mut last = last.lock().unwrap();
            *last = match *last {
                Some((wanted, 0)) if Some(wanted) == call => {
                    held.store(true, Ordering::Relaxed);
                    None
                }
                Some((wanted, before)) if Some(wanted) == call => Some((wanted, before - 1)),
                other => other,
            };
        }
        if to.write_all(&length).and_then(|()| to.write_all(&rest)).is_err() {
            break;
        }
    }
    if was_held {
        // It is begun before it is seen that nobody waits for it.
        std::thread::sleep(Duration::from_secs(1));
    }
    let _gone = to.shutdown(std::net::Shutdown::Both);
}

const NODE: &str = "<node><cpu><mhz>1000</mhz><model>x86_64</model><active>8</active><nodes>1</nodes><sockets>2</sockets>\
    <cores>4</cores><threads>1</threads></cpu><memory>8388608</memory></node>";

/// A server whose hypervisor can be made to hang, and soon gives up.
fn server() -> Option<(Between, Server)> {
    server_of_patience(3, 6)
}

fn server_of_patience(short: u32, long: u32) -> Option<(Between, Server)> {
    let config = format!("[hypervisor]\nshort-seconds = {short}\nlong-seconds = {long}\n");
    server_with(Options { config, ..Options::default() })
}

fn server_with(options: Options) -> Option<(Between, Server)> {
    let uri = service("OCCI_TEST_LIBVIRT_TEST_URI")?;
    let (_, daemon) = uri.split_once("socket=").unwrap();
    let between = Between::new(daemon.to_owned());
    // Where libvirt's test driver reads what it has from a file, nobody else sees that.
    let node = between.folder.path().join("node.xml");
    std::fs::write(&node, NODE).unwrap();
    let hypervisor = Some(format!("test+unix://{}?socket={}", node.display(), between.socket()));
    let server = Server::with(Options { hypervisor, ..options });
    Some((between, server))
}

/// libvirt carries out a call that nobody waits for any more. What it makes then has no entity, and goes without a restart.
#[test]
fn what_is_made_too_late_is_undone() {
    let Some((between, server)) = server() else { return };
    let kept = server.create("compute", &[]);
    between.holds.store(true, Ordering::Relaxed);
    std::thread::scope(|scope| {
        // With the update no more than the hypervisor is asked at once, be the first machine looked at just now.
        for _ in 0..2 {
            let compute = crate::occi::kind("compute");
            scope.spawn(|| server.post("/compute/").text(compute).answers(504));
        }
        let update = crate::occi::body(&[], &["occi.compute.cores=7"]);
        scope.spawn(|| server.post(&kept).text(update).answers(504));
    });
    between.holds.store(false, Ordering::Relaxed);
    let id = kept.rsplit('/').next().unwrap();
    crate::server::eventually("what has no entity is gone, and the other is as it says", || {
        let found = server.inspect();
        let machines = found["machines"].as_array().unwrap();
        machines.len() == 1 && machines[0]["name"] == format!("occi-{id}") && machines[0]["cores"] == 1
    });
    assert_eq!(server.get(&kept).answers(200).attribute("occi.compute.cores"), Some("1"));
}

/// Nobody waits for ever, and nothing is broken off.
#[test]
fn what_takes_too_long_goes_on() {
    let config = "[limits]\nanswer-seconds = 2\n[hypervisor]\nshort-seconds = 20\n".to_owned();
    let Some((between, server)) = server_with(Options { config, ..Options::default() }) else { return };
    let compute = server.create("compute", &[]);
    between.holds.store(true, Ordering::Relaxed);
    let update = crate::occi::body(&[], &["occi.compute.cores=2"]);
    let answer = server.post(&compute).text(update).answers(504);
    assert!(answer.body.contains("not done after 2 s, and goes on"), "{answer}");
    // What comes behind it does not begin: neither that for which nobody waits any more, nor what would be late.
    let cores = |cores: u32| {
        let attribute = format!("occi.compute.cores={cores}");
        server.post(&compute).text(crate::occi::body(&[], &[&attribute]))
    };
    cores(3).leave_after(Duration::from_millis(500));
    let answer = cores(4).answers(503);
    assert!(answer.body.contains("nothing of this was begun"), "{answer}");
    between.holds.store(false, Ordering::Relaxed);
    crate::server::eventually("it is done", || {
        server.get(&compute).answers(200).attribute("occi.compute.cores") == Some("2")
    });
    let title = crate::occi::body(&[], &["occi.core.title=\"x\""]);
    let answer = server.post(&compute).text(title).answers(200);
    assert_eq!(answer.attribute("occi.compute.cores"), Some("2"), "{answer}");
}

/// What a batch made is ended in the other order, whichever it named first: a volume that a machine uses does not go.
#[test]
fn what_a_batch_left_is_undone_in_any_order() {
    let Some((between, server)) = server() else { return };
    let of = |term: &str| format!("http://schemas.ogf.org/occi/infrastructure#{term}");
    let [compute, storage] = ["0198a4e2-0000-7000-8000-000000000001", "0198a4e2-0000-7000-8000-000000000002"];
    let machine = json!({"kind": of("compute"), "id": compute});
    let volume = json!({"kind": of("storage"), "id": storage, "attributes": {"occi.storage.size": 1}});
    let link = json!({"kind": of("storagelink"), "source": {"location": format!("/compute/{compute}")},
        "target": {"location": format!("/storage/{storage}")}});
    for resources in [json!([volume, machine]), json!([machine, volume])] {
        let batch = json!({"resources": resources, "links": [link]});
        // Once for the machine, and once to attach the volume.
        between.after_some(1, DEFINE, || _ = server.post("/").json(&batch).answers(504));
        crate::server::eventually("nothing is left", || {
            let found = server.inspect();
            ["machines", "volumes"].iter().all(|list| found[list].as_array().unwrap().is_empty())
        });
    }
    let batch = json!({"resources": [volume, machine], "links": [link]});
    crate::server::eventually("the ids are free", || server.post("/").json(&batch).send().status == 201);
}

/// A deletion that was not answered may be carried out all the same, and cannot be undone: it is finished as soon as
/// libvirt answers, and nothing of it is left.
#[test]
fn a_deletion_that_was_given_up_is_finished() {
    let Some((between, server)) = server() else { return };
    let [compute, network] = ["compute", "network"].map(|term| server.create(term, &[]));
    let link = server.link("networkinterface", &compute, &network);
    let storage = server.create("storage", &["occi.storage.size=1"]);
    let found = |list: &str| server.inspect()[list].as_array().unwrap().len();
    let is_gone = |path: &String| server.get(path).send().status == 404;

    between.after(DELETE_VOLUME, || {
        let refused = server.delete(&storage).answers(504);
        assert!(refused.body.contains("goes on once it is answered"), "{refused}");
        let title = crate::occi::body(&[], &["occi.core.title=\"x\""]);
        server.post(&storage).text(title).answers(409);
    });
    crate::server::eventually("the volume and its entity are gone", || {
        is_gone(&storage) && found("volumes") == 0
    });
    assert_eq!(found("attachments"), 1);
    between.after(DEFINE, || _ = server.delete(&link).answers(504));
    crate::server::eventually("the interface and its link are gone", || {
        is_gone(&link) && found("attachments") == 0
    });

    // What a link leaves goes first.
    let [going, stays] = [server.create("compute", &[]), compute];
    let link = server.link("networkinterface", &going, &network);
    between.after(UNDEFINE, || {
        let refused = server.delete("/compute/").answers(504);
        assert!(refused.body.contains("goes on once it is answered"), "{refused}");
        assert!(!refused.body.contains("nothing was changed"), "{refused}");
    });
    crate::server::eventually("the machine and its link are gone", || {
        is_gone(&going) && is_gone(&link) && found("machines") == 1
    });
    server.delete(&stays).answers(200);
    server.delete(&network).answers(200);
}

/// A deletion that a crash cut short is finished as soon as the hypervisor answers; what is acknowledged meanwhile would
/// end with it, so nothing is.
#[test]
fn what_is_about_to_go_is_not_changed() {
    let Some((between, mut server)) = server() else { return };
    let [compute, other, network] = ["compute", "compute", "network"].map(|term| server.create(term, &[]));
    between.holds.store(true, Ordering::Relaxed);
    let deletion = server.delete(&compute);
    std::thread::spawn(move || deletion.try_send());
    std::thread::sleep(Duration::from_secs(1));
    server.kill();
    server.begin();
    server.get(&compute).answers(200);
    let title = crate::occi::body(&[], &["occi.core.title=\"x\""]);
    let [to_it, from_it] = [(&other, &compute), (&compute, &network)].map(|(source, target)| {
        let ends = [format!("occi.core.source=\"{source}\""), format!("occi.core.target=\"{target}\"")];
        crate::occi::body(&[&crate::occi::kind("networkinterface")], &ends.each_ref().map(String::as_str))
    });
    for refused in [
        server.post(&compute).text(&title).answers(409),
        server.act(&compute, "start", &[]).is(409),
        server.post("/networkinterface/").text(from_it).answers(409),
        server.post("/networkinterface/").text(to_it).answers(409),
    ] {
        assert!(refused.body.contains("deletion"), "{refused}");
    }
    between.holds.store(false, Ordering::Relaxed);
    crate::server::eventually("the deletion is finished", || server.get(&compute).send().status == 404);
}

/// A creation that a crash cut short is undone, however long that takes, before its id is anybody's.
#[test]
fn what_is_being_undone_is_not_made_meanwhile() {
    being_undone(3, 6);
}

/// The same where the start does not wait for it.
#[test]
fn what_is_still_being_undone_is_not_made_meanwhile() {
    being_undone(20, 24);
}

fn being_undone(short: u32, long: u32) {
    let Some((between, mut server)) = server_of_patience(short, long) else { return };
    // What a first machine asks the hypervisor for is known before.
    server.create("compute", &[]);
    between.holds.store(true, Ordering::Relaxed);
    let path = "/compute/5e0a3a5e-7a3c-4d0e-9b58-0f3c4be1a001";
    let put =
        |server: &Server| server.put(path).text(crate::occi::body(&[&crate::occi::kind("compute")], &[]));
    let creation = put(&server);
    std::thread::spawn(move || creation.try_send());
    std::thread::sleep(Duration::from_secs(1));
    server.kill();
    server.begin();
    std::thread::scope(|scope| {
        let again = scope.spawn(|| put(&server).send());
        std::thread::sleep(Duration::from_secs(1));
        between.holds.store(false, Ordering::Relaxed);
        let answer = again.join().unwrap();
        assert!(matches!(answer.status, 201 | 503), "{answer}");
    });
    crate::server::eventually("it can be made", || matches!(put(&server).send().status, 200 | 201));
    std::thread::sleep(Duration::from_secs(2));
    let shown = server.get(path).answers(200);
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(shown.attribute("occi.core.id"), Some(&*format!("\"urn:uuid:{id}\"")), "{shown}");
    assert!(server.at_hypervisor("machines", path, "state").is_some(), "{shown}");
    assert_eq!(shown.attribute("occi.compute.state"), Some("\"inactive\""), "{shown}");
    server.delete(path).answers(200);
}

/// A deletion that a crash cut short and that its extension never ends is given up: the entity is as it would be without the
/// crash.
#[test]
fn a_deletion_that_never_ends_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ox.wasm"), crate::mule::ox()).unwrap();
    let config = "[sandbox]\ndeadline-ms = 2000\n".to_owned();
    let options = Options { config, extensions: Some(folder.path().into()), ..Options::default() };
    let Some((_between, mut server)) = server_with(options) else { return };
    let ox = server.post("/stable/ox/").text(crate::mule::category("ox")).answers(201).location();
    let deletion = server.delete(&ox);
    std::thread::spawn(move || deletion.try_send());
    std::thread::sleep(Duration::from_secs(1));
    server.kill();
    server.begin();
    let log = server.log();
    assert!(log.contains("refused: 1") && log.contains("a deletion is not finished"), "{log}");
    server.post(&ox).text(crate::occi::body(&[], &["occi.core.title=\"x\""])).answers(200);
    assert_eq!(server.get(&ox).answers(200).attribute("occi.core.title"), Some("\"x\""));
}

/// Longer than libvirt's own keep-alive would wait; several calls are under way.
#[test]
fn calls_that_hang_cost_themselves_alone() {
    let Some((between, server)) = server() else { return };
    server.create("compute", &[]);
    between.holds.store(true, Ordering::Relaxed);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let compute = crate::occi::kind("compute");
            // Once in a while two of them wait for each other.
            scope.spawn(|| {
                let answer = server.post("/compute/").text(compute).send();
                assert!(matches!(answer.status, 503 | 504), "{answer}");
            });
        }
        std::thread::sleep(Duration::from_secs(22));
        server.note("meanwhile");
    });
    between.holds.store(false, Ordering::Relaxed);
    crate::server::eventually("it answers again", || {
        server.post("/compute/").text(crate::occi::kind("compute")).send().status == 201
    });
    assert_eq!(server.get("/note/").answers(200).locations().len(), 1);
}

/// One that is there when its server is killed, and that others use, too.
fn lasting() -> Option<(Between, Server)> {
    let uri = service("OCCI_TEST_LIBVIRT_TEST_URI")?;
    let (uri, daemon) = uri.split_once("socket=").unwrap();
    let between = Between::new(daemon.to_owned());
    let hypervisor = Some(format!("{uri}socket={}", between.socket()));
    let config = "[hypervisor]\nshort-seconds = 20\nlong-seconds = 24\n".to_owned();
    let server = Server::with(Options { config, hypervisor, ..Options::default() });
    server.delete(&server.create("compute", &[])).answers(200);
    Some((between, server))
}

fn put(server: &Server, path: &str) -> crate::http::Request {
    server.put(path).text(crate::occi::body(&[&crate::occi::kind("compute")], &[]))
}

/// A server that was killed when it had asked for a machine, which is not made yet; and the compute's path.
fn killed(between: &Between, server: &mut Server) -> String {
    between.first.store(DEFINE, Ordering::Relaxed);
    let path = format!("/compute/{}", uuid::Uuid::new_v4());
    let creation = put(server, &path);
    std::thread::spawn(move || creation.try_send());
    crate::server::eventually("it is asked for", || between.holds.load(Ordering::Relaxed));
    server.kill();
    path
}

fn is_made(server: &Server, path: &str) -> bool {
    server.at_hypervisor("machines", path, "state").is_some()
}

/// libvirtd carries out what a server has asked for that was killed meanwhile, also after the next one has found nothing. What
/// it makes then goes.
#[test]
fn what_a_killed_server_has_asked_for_is_undone() {
    let Some((between, mut server)) = lasting() else { return };
    let made = killed(&between, &mut server);
    between.keep_the_old();
    server.begin();
    assert!(server.log().contains("undone: 1"), "{}", server.log());
    assert!(!is_made(&server, &made));
    between.old.store(0, Ordering::Relaxed);
    crate::server::eventually("it is made", || is_made(&server, &made));
    crate::server::eventually("it is gone", || !is_made(&server, &made));
    server.get(&made).answers(404);
}

/// What is made under an id of which more may come stays, whenever it is looked at, and whenever the next start is.
#[test]
fn what_is_made_again_stays() {
    let Some((between, mut server)) = lasting() else { return };
    let made = killed(&between, &mut server);
    between.holds.store(false, Ordering::Relaxed);
    server.begin();
    assert!(server.log().contains("undone: 1"), "{}", server.log());
    between.holds.store(true, Ordering::Relaxed);
    std::thread::scope(|scope| {
        let again = scope.spawn(|| put(&server, &made).answers(201));
        // It is looked for more than once meanwhile.
        std::thread::sleep(Duration::from_secs(5));
        between.holds.store(false, Ordering::Relaxed);
        again.join().unwrap();
    });
    for round in 0..8 {
        let shown = server.get(&made).answers(200);
        assert!(is_made(&server, &made), "{shown}");
        if round == 3 {
            server.kill_and_restart();
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    server.delete(&made).answers(200);
    assert!(!is_made(&server, &made));
}
