//! A wire between the server and libvirtd that can be made to fail at any call: it speaks libvirt's protocol (`virnetprotocol.x`) as
//! far as that takes.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// libvirtd says no, and has done nothing.
    Refused,
    /// It comes late.
    Late,
    /// The connection breaks before it.
    LostBefore,
    /// It is carried out, and the connection breaks before that is answered.
    LostAfter,
}

#[derive(Debug, Default)]
struct Plan {
    /// Calls that are still to pass, and what becomes of the next one; none where nothing is to fail.
    next: Option<(u32, Fault)>,
    /// How long each message of what is carried takes.
    pace: Duration,
}

/// The wire.
pub(crate) struct Wire {
    /// By which it is used in the daemon's place.
    pub(crate) uri: String,
    _folder: TempDir,
    plan: Arc<Mutex<Plan>>,
    /// Those that are connected; none where nobody comes through.
    connected: Arc<Mutex<Option<Vec<UnixStream>>>>,
}

/// The program whose calls count: the hypervisor's. Others are the client's and the server's own, such as signs of life.
const REMOTE: u32 = 0x2000_8086;
const CALL: u32 = 0;
const REPLY: u32 = 1;
const STREAM: u32 = 3;
const ERROR: u32 = 1;

impl Wire {
    /// One to the daemon at a URI that names its socket.
    pub(crate) fn new(uri: &str) -> Self {
        let (before, daemon) = uri.split_once("socket=").unwrap();
        let (folder, daemon) = (tempfile::tempdir().unwrap(), daemon.to_owned());
        let socket = folder.path().join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let plan = Arc::<Mutex<Plan>>::default();
        let shared = Arc::clone(&plan);
        let connected = Arc::new(Mutex::new(Some(Vec::new())));
        let clients = Arc::clone(&connected);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = UnixStream::connect(&daemon) else { continue };
                match (&mut *clients.lock().unwrap(), client.try_clone()) {
                    (Some(clients), Ok(client)) => clients.push(client),
                    (_, _) => continue,
                }
                let lost = Arc::<Mutex<Option<u32>>>::default();
                let (Ok(to), Ok(back)) = (server.try_clone(), client.try_clone()) else { continue };
                let (plan, noted) = (Arc::clone(&shared), Arc::clone(&lost));
                std::thread::spawn(move || calls(client, to, &plan, &noted));
                std::thread::spawn(move || answers(server, back, &lost));
            }
        });
        Self { uri: format!("{before}socket={}", socket.display()), _folder: folder, plan, connected }
    }

    /// Nobody comes through any more.
    pub(crate) fn cut(&self) {
        for client in self.connected.lock().unwrap().take().into_iter().flatten() {
            _ = client.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn mend(&self) {
        *self.connected.lock().unwrap() = Some(Vec::new());
    }

    /// What is carried to the daemon takes so long for each message.
    pub(crate) fn slow(&self, pace: Duration) {
        self.plan.lock().unwrap().pace = pace;
    }

    /// Does something in which the call after so many others fails; whether there was one.
    pub(crate) fn fail<T>(&self, after: u32, fault: Fault, work: impl FnOnce() -> T) -> (T, bool) {
        self.plan.lock().unwrap().next = Some((after, fault));
        let done = work();
        (done, self.plan.lock().unwrap().next.take().is_none())
    }
}

/// One message: its head without the length, in words of 32 bits, and all of it.
struct Message {
    head: [u32; 6],
    whole: Vec<u8>,
}

fn read(from: &mut UnixStream) -> Option<Message> {
    let mut whole = vec![0; 4];
    from.read_exact(&mut whole).ok()?;
    let length = u32::from_be_bytes(whole[..].try_into().ok()?) as usize;
    whole.resize(length.max(28), 0);
    from.read_exact(&mut whole[4..]).ok()?;
    let mut head = [0; 6];
    for (word, bytes) in head.iter_mut().zip(whole[4..28].chunks(4)) {
        *word = u32::from_be_bytes(bytes.try_into().ok()?);
    }
    Some(Message { head, whole })
}

/// From the server to libvirtd.
fn calls(mut client: UnixStream, mut daemon: UnixStream, plan: &Mutex<Plan>, lost: &Mutex<Option<u32>>) {
    while let Some(Message { head, whole }) = read(&mut client) {
        let [program, version, procedure, kind, serial, _] = head;
        // What is carried is cut as well.
        let counts = program == REMOTE && matches!(kind, CALL | STREAM);
        let fault = if counts { due(plan) } else { None };
        if program == REMOTE && kind == STREAM {
            let pace = plan.lock().unwrap().pace;
            std::thread::sleep(pace);
        }
        match fault {
            None => {}
            Some(Fault::Refused | Fault::LostBefore | Fault::LostAfter) if kind == STREAM => break,
            Some(Fault::Late) => std::thread::sleep(Duration::from_millis(300)),
            Some(Fault::LostBefore) => break,
            Some(Fault::LostAfter) => *lost.lock().unwrap() = Some(serial),
            Some(Fault::Refused) => {
                let refusal = refusal([program, version, procedure, REPLY, serial, ERROR]);
                if client.write_all(&refusal).is_err() {
                    break;
                }
                continue;
            }
        }
        if daemon.write_all(&whole).is_err() {
            break;
        }
    }
    cut(&client, &daemon);
}

/// What becomes of this call.
fn due(plan: &Mutex<Plan>) -> Option<Fault> {
    let mut plan = plan.lock().unwrap();
    match plan.next {
        Some((0, fault)) => {
            plan.next = None;
            Some(fault)
        }
        Some((before, fault)) => {
            plan.next = Some((before - 1, fault));
            None
        }
        None => None,
    }
}

/// From libvirtd to the server.
fn answers(mut daemon: UnixStream, mut client: UnixStream, lost: &Mutex<Option<u32>>) {
    while let Some(Message { head, whole }) = read(&mut daemon) {
        let is_lost = head[3] == REPLY && *lost.lock().unwrap() == Some(head[4]);
        if is_lost || client.write_all(&whole).is_err() {
            break;
        }
    }
    cut(&client, &daemon);
}

fn cut(client: &UnixStream, daemon: &UnixStream) {
    for side in [client, daemon] {
        let _gone_already = side.shutdown(Shutdown::Both);
    }
}

/// A message with that head, and an error as libvirt writes it (`virNetMessageError`).
fn refusal(head: [u32; 6]) -> Vec<u8> {
    const OPERATION_FAILED: u32 = 9;
    const OF_TEST: u32 = 12;
    const LEVEL: u32 = 2;
    let text = b"refused for a test";
    let mut body: Vec<u8> = head.iter().flat_map(|word| word.to_be_bytes()).collect();
    let word = |body: &mut Vec<u8>, word: u32| body.extend(word.to_be_bytes());
    word(&mut body, OPERATION_FAILED);
    word(&mut body, OF_TEST);
    // A text that is there: its length, and itself up to a whole word.
    word(&mut body, 1);
    word(&mut body, u32::try_from(text.len()).unwrap());
    body.extend(text);
    body.resize(body.len().next_multiple_of(4), 0);
    word(&mut body, LEVEL);
    // No domain, no further texts, no numbers, no network.
    for none in [0; 7] {
        word(&mut body, none);
    }
    let length = u32::try_from(body.len() + 4).unwrap();
    [length.to_be_bytes().to_vec(), body].concat()
}
