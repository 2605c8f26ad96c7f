//! examples/floating-address, an extension in C: what its sandbox answers, and that no address is given out twice.

use crate::http::Answer;
use crate::occi::body;
use crate::server::Server;
use serde_json::json;
use std::collections::BTreeSet;

const POOL: &str = r#"Category: address-pool; scheme="http://example.com/occi/net#"; class="kind""#;
const FLOATING_ADDRESS: &str =
    r#"Category: floating-address; scheme="http://example.com/occi/net#"; class="kind""#;
const ADDRESS: &str = "com.example.floating.address";
const TEAM: &str = "http://example.com/team";

fn range(first: &str, last: &str) -> String {
    let first = format!("com.example.floating.pool.first={first:?}");
    let last = format!("com.example.floating.pool.last={last:?}");
    body(&[POOL], &[&first, &last])
}

#[track_caller]
fn pool(server: &Server, first: &str, last: &str) -> String {
    server.post("/address-pool/").text(range(first, last)).answers(201).location()
}

fn ask(server: &Server, pool: &str) -> Answer {
    let ends = [format!("occi.core.source={pool:?}"), format!("occi.core.target={TEAM:?}")];
    server.post("/floating-address/").text(body(&[FLOATING_ADDRESS], &[&ends[0], &ends[1]])).send()
}

#[track_caller]
fn address(server: &Server, path: &str) -> String {
    server.get(path).answers(200).attribute(ADDRESS).unwrap().trim_matches('"').to_owned()
}

fn act(server: &Server, path: &str, term: &str, parameters: &[&str]) -> Answer {
    let category = format!(
        r#"Category: {term}; scheme="http://example.com/occi/net/floating-address/action#"; class="action""#
    );
    server.post(&format!("{path}?action={term}")).text(body(&[&category], parameters)).send()
}

/// Refused, and the answer names the attribute that is to be changed.
#[track_caller]
fn is_refused(answer: &Answer, status: u16, attribute: &str) {
    assert_eq!(answer.status, status, "{answer}");
    assert!(answer.body.contains(&format!("({attribute})")), "{answer}");
}

#[test]
fn an_address_is_given_out_assigned_released_and_given_back() {
    let mut server = Server::start();
    let pool = pool(&server, "192.0.2.10", "192.0.2.11");
    let [one, two] = [(); 2].map(|()| ask(&server, &pool).is(201).location());
    assert_eq!([address(&server, &one), address(&server, &two)], ["192.0.2.10", "192.0.2.11"]);
    is_refused(&ask(&server, &pool), 409, "occi.core.source");

    let assigned = act(&server, &one, "assign", &[r#"resource="/compute/1""#]).is(200);
    assert_eq!(assigned.attribute("com.example.floating.state"), Some("\"assigned\""));
    assert_eq!(assigned.attribute("com.example.floating.resource"), Some("\"/compute/1\""));
    act(&server, &one, "assign", &[r#"resource="/compute/2""#]).is(409);
    let released = act(&server, &one, "release", &[]).is(200);
    assert_eq!(released.attribute("com.example.floating.state"), Some("\"free\""));
    assert_eq!(released.attribute("com.example.floating.resource"), None);

    // What is taken outlives the process.
    server.kill_and_restart();
    is_refused(&ask(&server, &pool), 409, "occi.core.source");
    server.delete(&one).answers(200);
    let again = ask(&server, &pool).is(201).location();
    assert_eq!(address(&server, &again), "192.0.2.10");
    // With the pool go its addresses; another one begins anew.
    server.delete(&pool).answers(200);
    server.get(&again).answers(404);
}

#[test]
fn what_is_wrong_is_refused_with_the_attribute() {
    let server = Server::start();
    let (first, last) = ("com.example.floating.pool.first", "com.example.floating.pool.last");
    for (range, attribute) in [
        (range("192.0.2.010", "192.0.2.11"), first),
        (range("192.0.2.10", "example.com"), last),
        (range("192.0.2.10", "192.0.2.9"), last),
        (range("10.0.0.0", "10.255.255.255"), last),
    ] {
        is_refused(&server.post("/address-pool/").text(range).send(), 400, attribute);
    }
    let note = server.note("no pool");
    is_refused(&ask(&server, &note), 400, "occi.core.source");

    let pool = pool(&server, "192.0.2.10", "192.0.2.19");
    let path = ask(&server, &pool).is(201).location();
    for resource in ["compute", "", "/compute/1?x", &pool] {
        let answer = act(&server, &path, "assign", &[&format!("resource={resource:?}")]);
        is_refused(&answer, 400, "resource");
    }
    act(&server, &path, "assign", &[]).is(400);
    // A pool keeps what it has given out.
    let moved = server.post(&pool).text(body(&[], &[&format!("{first}=\"192.0.2.11\"")])).send();
    is_refused(&moved, 409, first);
    let smaller = server.post(&pool).text(body(&[], &[&format!("{last}=\"192.0.2.12\"")])).answers(200);
    assert_eq!(smaller.attribute("com.example.floating.pool.size"), Some("3"));
}

#[test]
fn of_many_at_once_no_two_get_the_same() {
    let server = Server::start();
    let pool = pool(&server, "198.51.100.0", "198.51.100.49");
    let given: Vec<String> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(|| (0..5).map(|_| ask(&server, &pool).is(201).location()).collect::<Vec<_>>())
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let addresses: BTreeSet<_> = given.iter().map(|path| address(&server, path)).collect();
    assert_eq!(addresses.len(), 50);
}

/// The calls of one request see what those before them wrote: the range of a pool that comes with its links, and the
/// addresses that are taken.
#[test]
fn of_many_made_by_one_request_no_two_get_the_same() {
    let server = Server::start();
    let id = "urn:uuid:5b4d1f0a-96d5-4a0c-9d3e-000000000001";
    let pool = json!({
        "kind": "http://example.com/occi/net#address-pool",
        "id": id,
        "attributes": {
            "com.example.floating.pool.first": "203.0.113.1",
            "com.example.floating.pool.last": "203.0.113.9",
        },
    });
    let link = json!({
        "kind": "http://example.com/occi/net#floating-address",
        "source": {"location": id},
        "target": {"location": TEAM},
    });
    let request = |links| json!({"resources": [pool], "links": vec![link.clone(); links]}).to_string();
    let refused = server.post("/").body("application/occi+json", request(10)).send();
    is_refused(&refused, 409, "occi.core.source");
    server.post("/").body("application/occi+json", request(9)).answers(201);
    let given = server.get("/floating-address/").answers(200).locations();
    let addresses: BTreeSet<_> = given.iter().map(|path| address(&server, path)).collect();
    assert_eq!((given.len(), addresses.len()), (9, 9));
}
