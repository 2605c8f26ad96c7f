//! The disk with what a compute's system is told when it boots.

use crate::addresses::told;
use crate::occi::body;
use crate::qemu::domain;
use crate::server::Server;

/// What is told anew is for the next start. A machine that runs, or whose memory is saved, goes on with the disk that it has; which
/// is gone once it is another's turn.
#[test]
fn what_a_system_was_told_stays_for_as_long_as_it_has_it() {
    let Some(server) = Server::on_qemu() else { return };
    let compute = told(&server, "#!/bin/sh\necho told\n");
    let seeds = || -> Vec<String> {
        let begin = format!("{}-seed-", domain(&compute));
        let found = server.inspect();
        let names = found["own_disks"].as_array().unwrap().iter().map(|disk| disk["name"].as_str().unwrap());
        names.filter(|name| name.starts_with(&begin)).map(str::to_owned).collect()
    };
    let rename = |name: &str| {
        let hostname = format!("occi.compute.hostname={name:?}");
        server.post(&compute).text(body(&[], &[&hostname])).answers(200);
    };
    server.act(&compute, "start", &[]).is(200);
    let first = seeds();
    assert_eq!(first.len(), 1);
    rename("two.example.org");
    let second = seeds();
    assert!(second.len() == 2 && second.contains(&first[0]), "{second:?}");
    server.act(&compute, "suspend", &["method=\"hibernate\""]).is(200);
    rename("three.example.org");
    let third = seeds();
    assert!(third.len() == 2 && third.contains(&first[0]) && third != second, "{third:?}");
    let started = server.act(&compute, "start", &[]).is(200);
    assert_eq!(started.attribute("occi.compute.state"), Some("\"active\""), "{started}");

    server.act(&compute, "stop", &["method=\"poweroff\""]).is(200);
    server.act(&compute, "start", &[]).is(200);
    let last = seeds();
    assert!(last.len() == 1 && third.contains(&last[0]) && last != first, "{last:?}");
    server.delete(&compute).answers(200);
    assert_eq!(seeds(), Vec::<String>::new());
}
