//! Collections that are too large to be held at once, and the filters and pages by which less is asked for.

use crate::occi::{NOTE_ID, body};
use crate::server::Server;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const KIND: &str = NOTE_ID;

/// Notes that are as many and as long as they must be for a listing that is sent in pieces.
fn filled(server: &Server, notes: usize) {
    let text = "x".repeat(1000);
    let note = |number: usize| {
        json!({
            "kind": KIND,
            "title": format!("note {}", number % 7),
            "attributes": { "com.example.note.text": text }
        })
    };
    for batch in 0..notes / 500 {
        let resources: Vec<_> = (0..500).map(|number| note(500 * batch + number)).collect();
        server.post("/note/").json(&json!({ "resources": resources })).answers(201);
    }
}

fn ids(listing: &Value) -> Vec<String> {
    let of = |member: &str| listing[member].as_array().cloned().unwrap_or_default();
    let all = of("resources").into_iter().chain(of("links"));
    all.map(|entity| entity["id"].as_str().unwrap().to_owned()).collect()
}

/// HTTP-29, JSON-06: a large listing is whole, in every rendering, and the same as its pages together.
#[test]
fn a_large_listing_is_whole() {
    const NOTES: usize = 3000;
    let server = Server::start();
    filled(&server, NOTES);
    let compute = server.create("compute", &[]);
    let network = server.create("network", &[]);
    server.link("networkinterface", &compute, &network);

    let whole = server.get("/note/").accept("application/occi+json").answers(200).json();
    let all = ids(&whole);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), NOTES);
    let lines = server.get("/note/").answers(200).body;
    assert_eq!(lines.lines().count(), NOTES);
    let uris = server.get("/note/").accept("text/uri-list").answers(200).body;
    let shown: Vec<_> = lines.lines().map(|line| line.strip_prefix("X-OCCI-Location: ").unwrap()).collect();
    assert_eq!(uris.lines().collect::<Vec<_>>(), shown, "Q-46");

    let mut paged = Vec::new();
    for page in 1..=4 {
        let page = format!("/note/?page={page}&number=1000");
        paged.extend(ids(&server.get(&page).accept("application/occi+json").answers(200).json()));
    }
    assert_eq!(paged, all, "the order is stable, and the last page is empty (HTTP-14)");

    // Resources and links of a mixed collection stand apart, however large it is.
    let mixed = server.get("/").accept("application/json").answers(200).json();
    assert_eq!(mixed["resources"].as_array().unwrap().len(), NOTES + 2);
    assert_eq!(mixed["links"].as_array().unwrap().len(), 1);

    // A client that takes compressed answers gets the same; what is short, as it is.
    let zipped = |path: &str| server.get(path).header("Accept-Encoding", "gzip;q=0.5, br").answers(200);
    for path in ["/note/", "/note/?page=1&number=200", "/-/"] {
        let answer = zipped(path);
        assert_eq!(answer.header("content-encoding"), "gzip", "{path}");
        assert_eq!(answer.body, server.get(path).answers(200).body, "{path}");
    }
    let short = zipped("/note/?page=1&number=2");
    assert!(!short.headers.contains_key("content-encoding") && short.body.lines().count() == 2);
    let unzipped = server.get("/note/").header("Accept-Encoding", "gzip;q=0").answers(200);
    assert!(!unzipped.headers.contains_key("content-encoding"));

    // TXT-06: nothing is cut.
    let refused = server.get("/note/").accept("text/occi").answers(406);
    assert!(refused.body.contains("page"), "{refused}");
    server.get("/note/?page=1&number=20").accept("text/occi").answers(200);
    assert_eq!(server.request("HEAD", "/note/").answers(200).body, "");
}

/// What was listed before is not what is listed after a change, in another page, or to another client.
#[test]
fn a_listing_is_never_an_old_one() {
    let server = Server::start();
    let list = |path: &str| server.get(path).accept("text/uri-list").answers(200).body;
    assert_eq!(list("/note/"), "");
    let first = server.note("a");
    assert_eq!(list("/note/").lines().count(), 1);
    let second = server.note("b");
    assert_eq!(list("/note/").lines().count(), 2);
    assert!(list("/note/?page=1&number=1").trim_end().ends_with(&first));
    assert!(list("/note/?page=2&number=1").trim_end().ends_with(&second));
    server.delete(&first).answers(200);
    assert_eq!(list("/note/").lines().count(), 1);
    let other = server.get("/note/").accept("text/uri-list").header("Host", "other.example:1").answers(200);
    assert!(other.body.starts_with("http://other.example:1/note/"), "{other}");
}

/// HTTP-16, Q-34: what headers filter, the query filters too.
#[test]
fn the_query_filters_as_headers_do() {
    let server = Server::start();
    let (small, large) = (
        server.create("compute", &["occi.compute.cores=1", "occi.core.title=\"a=b\""]),
        server.create("compute", &["occi.compute.cores=2"]),
    );
    server.note("a");
    let list = |path: &str| server.get(path).accept("text/uri-list").answers(200).body;
    let only = |path: &str, wanted: &str| {
        let body = list(path);
        assert!(body.lines().count() == 1 && body.trim_end().ends_with(wanted), "{path}: {body}");
    };
    only("/compute/?attribute=occi.compute.cores%3D1", &small);
    only("/compute/?attribute=occi.compute.cores%3D2", &large);
    only("/compute/?attribute=occi.core.title%3Da%3Db", &small);
    only("/compute/?attribute=occi.core.title%3D%22a%3Db%22&attribute=occi.compute.cores%3D1", &small);
    assert_eq!(list("/compute/?attribute=occi.compute.cores%3D1&attribute=occi.core.title%3Dx"), "");
    let kind = "http%3A%2F%2Fexample.com%2Focci%2Fnote%23note";
    assert_eq!(list(&format!("/?category={kind}")).lines().count(), 1);
    assert_eq!(list(&format!("/compute/?category={kind}")), "");
    let query = server.get(&format!("/-/?category={kind}")).answers(200);
    assert_eq!(query.body.lines().count(), 1, "{query}");
    // An id and a location in any form.
    let id = small.rsplit('/').next().unwrap();
    for start in ["", "urn:uuid:", "URN:UUID:"] {
        only(&format!("/compute/?attribute=occi.core.id%3D{start}{id}"), &small);
    }
    let network = server.create("network", &[]);
    let link = server.link("networkinterface", &small, &network);
    for base in ["", server.base()] {
        only(&format!("/networkinterface/?attribute=occi.core.source%3D{base}{small}"), &link);
    }
    for (path, says) in [
        ("/compute/?category=compute", "?category="),
        ("/compute/?attribute=title", "?attribute="),
        // H11-30: what no category has would be an empty list for ever.
        ("/compute/?attribute=occi.compute.core%3D1", "occi.compute.core,"),
        ("/compute/?category=http://example.com/no%23thing", "http://example.com/no#thing,"),
        ("/compute/?attribute=%C3%A4%3D1", "attribute name"),
    ] {
        let refused = server.get(path).answers(400);
        assert!(refused.body.contains(says), "{path}: {refused}");
    }
    // A page of those that pass.
    let page = "/compute/?attribute=occi.compute.cores%3D2&page=1&number=1";
    only(page, &large);
    assert_eq!(list(&page.replace("page=1", "page=2")), "", "HTTP-14");
}

/// RFC 3986, section 6.2.2: a path has one form, however it is written.
#[test]
fn a_path_may_be_written_in_several_ways() {
    let server = Server::start();
    let note = server.note("a");
    let written = note.replace("/note/", "/%6eo%74e/");
    assert_eq!(server.get(&written).answers(200).body, server.get(&note).answers(200).body);
    server.get("/%6eote/").answers(200);
    server.post(&written).text(body(&[], &["com.example.note.text=\"b\""])).answers(200);
    assert_eq!(server.get(&note).answers(200).attribute("com.example.note.text"), Some("\"b\""));
    for path in ["/note/%2e%2e", "/note/%00", "/note/%zz", "/note/%"] {
        let refused = server.get(path).answers(400);
        assert!(refused.body.starts_with("path `"), "{path}: {refused}");
    }
    // `%2F` is no `/`.
    server.get("/note%2Fx").answers(404);
}

/// All that a server sends until there is a `whole` of it, read at no more than `pace` bytes in a second.
fn read_slowly(stream: &mut TcpStream, pace: usize, whole: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    const PIECES: usize = 20;
    let (mut all, mut piece) = (Vec::new(), vec![0; pace / PIECES]);
    while !whole(&all) {
        match stream.read(&mut piece).unwrap() {
            0 => break,
            length => all.extend_from_slice(&piece[..length]),
        }
        std::thread::sleep(Duration::from_secs(1) / u32::try_from(PIECES).unwrap());
    }
    all
}

/// A client may read as slowly as its line is, as long as it reads.
#[test]
fn who_reads_slowly_gets_all_of_a_large_listing() {
    let server = Server::configured("[limits]\nbody-seconds = 1\n");
    filled(&server, 7000);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let request = "GET /note/ HTTP/1.0\r\nHost: x\r\nAccept: application/occi+json\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let all = read_slowly(&mut stream, 900_000, |_| false);
    let (_, body) = str::from_utf8(&all).unwrap().split_once("\r\n\r\n").unwrap();
    let listing: Value = serde_json::from_str(body).unwrap();
    assert_eq!(ids(&listing).len(), 7000);
}

/// The same by HTTP/2 (RFC 9113), where a client that lets all come waits long for what is sent behind it.
#[test]
fn who_reads_slowly_by_http_2_gets_all_of_a_large_listing() {
    const NOTES: usize = 3000;
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const WINDOW_UPDATE: u8 = 8;
    const LARGEST_WINDOW: u32 = (1 << 31) - 1;
    const END: u8 = 5;
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    };
    let server = Server::configured("[limits]\nhead-seconds = 1\nbody-seconds = 2\n");
    filled(&server, NOTES);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    // GET, http, the path and `accept`, by the numbers that they have in HPACK (RFC 7541).
    let head = b"\x82\x86\x04\x06/note/\x01\x01x\x0f\x04\x15application/occi+json";
    let initial_window = [&[0, 4][..], &LARGEST_WINDOW.to_be_bytes()].concat();
    let more = (LARGEST_WINDOW - 65_535).to_be_bytes();
    let request = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(SETTINGS, 0, 0, &initial_window),
        frame(WINDOW_UPDATE, 0, 0, &more),
        frame(HEADERS, END, 1, head),
    ];
    stream.write_all(&request.concat()).unwrap();
    let sent = |all: &[u8]| {
        let (mut rest, mut body, mut is_whole) = (all, Vec::new(), false);
        while let Some((head, payload)) = rest.split_at_checked(9) {
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let Some((payload, next)) = payload.split_at_checked(length) else { break };
            if head[3] == 0 {
                body.extend_from_slice(payload);
                is_whole |= head[4] & 1 == 1;
            }
            rest = next;
        }
        (body, is_whole)
    };
    // For longer than a client would have for an answer to a PING.
    let all = read_slowly(&mut stream, 160_000, |all| sent(all).1);
    let listing: Value = serde_json::from_slice(&sent(&all).0).unwrap();
    assert_eq!(ids(&listing).len(), NOTES);
}
