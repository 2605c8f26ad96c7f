//! The operations that go wrong half-way, what comes before each, and what each leads to where it is done.

use super::{Before, IMAGE, OTHER_IMAGE, SMALL, Stage};
use crate::addresses::mixin;
use crate::http::Request;
use crate::occi::{body, kind};

const MEDIUM: &str = "Category: medium; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#\"; class=\"mixin\"";
const KEY: &str =
    "Category: ssh_key; scheme=\"http://schemas.ogf.org/occi/infrastructure/credentials#\"; class=\"mixin\"";
const BRIDGE: &str =
    "Category: public; scheme=\"http://example.org/occi/infrastructure/bridge#\"; class=\"mixin\"";
const USER_DATA: &str = "occi.compute.userdata=\"#!/bin/sh\\necho told\"";

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Whether a machine has power meanwhile, or comes to have it.
    pub(crate) has_power: bool,
    /// Whether it is asked for once more where it was refused, as what it has begun could be in its own way.
    pub(crate) again: bool,
    /// Whether the imitation can do it in one step: it makes a volume anew that is to be larger.
    pub(crate) is_imitated: bool,
    pub(crate) prepare: fn(&Stage, &mut Before),
    pub(crate) ask: fn(&Stage, &Before) -> Request,
    /// Whether that is so to which it leads. Nothing else is expected of one that is not done than that all agree.
    pub(crate) leads: fn(&Stage, &Before) -> bool,
}

const fn quiet(
    name: &'static str,
    prepare: fn(&Stage, &mut Before),
    ask: fn(&Stage, &Before) -> Request,
    leads: fn(&Stage, &Before) -> bool,
) -> Operation {
    Operation { name, has_power: false, again: false, is_imitated: true, prepare, ask, leads }
}

const fn powered(
    name: &'static str,
    prepare: fn(&Stage, &mut Before),
    ask: fn(&Stage, &Before) -> Request,
    leads: fn(&Stage, &Before) -> bool,
) -> Operation {
    Operation { name, has_power: true, again: false, is_imitated: true, prepare, ask, leads }
}

impl Operation {
    const fn not_imitated(self) -> Self {
        Self { is_imitated: false, ..self }
    }

    const fn again(self) -> Self {
        Self { again: true, ..self }
    }
}

pub(crate) const OPERATIONS: &[Operation] = &[
    quiet(
        "create a compute by templates",
        nothing,
        |stage, _| {
            let key = "occi.credentials.ssh.publickey=\"ssh-rsa AAAAB3NzaC1yc2EAAAA=\"";
            stage.put("compute", &[SMALL, IMAGE, KEY], &[key]).1
        },
        |stage, _| stage.any("compute", "ssh-rsa AAAAB3NzaC1yc2EAAAA="),
    ),
    quiet(
        "create a compute with user data",
        nothing,
        |stage, _| stage.put("compute", &[SMALL, IMAGE, &mixin("user_data", "compute")], &[USER_DATA]).1,
        |stage, _| stage.any("compute", "echo told"),
    ),
    quiet(
        "create a storage",
        nothing,
        |stage, _| stage.put("storage", &[], &["occi.storage.size=2"]).1,
        |stage, _| {
            let all = stage.server.get("/storage/").answers(200).locations();
            all.iter().any(|storage| has_two(stage, storage))
        },
    ),
    quiet(
        "create a network",
        nothing,
        |stage, _| stage.put("network", &[], &[]).1,
        |stage, _| stage.server.get("/network/").answers(200).locations().len() == 2,
    ),
    quiet(
        "create a network with addresses",
        nothing,
        |stage, before| {
            stage
                .put(
                    "network",
                    &[&mixin("ipnetwork", "network")],
                    &before.range.plan().each_ref().map(|plan| &**plan),
                )
                .1
        },
        |stage, before| stage.any("network", &before.range.plan()[0]),
    ),
    quiet(
        "create a network on a bridge",
        nothing,
        |stage, _| stage.put("network", &[BRIDGE], &[]).1,
        |stage, _| stage.any("network", "Category: public;"),
    ),
    quiet(
        "join a network to a bridge",
        nothing,
        |stage, before| stage.server.post(&before.network).text(body(&[BRIDGE], &[])),
        |stage, before| stage.shows(&before.network, "Category: public;"),
    ),
    quiet(
        "link a network",
        nothing,
        |stage, before| link(stage, "networkinterface", &before.compute, &before.network),
        |stage, _| stage.server.get("/networkinterface/").answers(200).locations().len() == 2,
    ),
    quiet(
        "link a network that is on a bridge",
        |stage, before| {
            before.network = stage.create("network", &[BRIDGE], &[]);
            up(stage, before);
        },
        |stage, before| link(stage, "networkinterface", &before.compute, &before.network),
        |stage, before| stage.any("networkinterface", &before.network),
    ),
    quiet("link a network with an address", with_range, with_address, |stage, before| {
        stage.any("networkinterface", &format!("address=\"{}\"", before.range.address(9)))
    })
    .again(),
    quiet(
        "end the link of a storage",
        nothing,
        |stage, before| stage.server.delete(&before.links[1]),
        |stage, before| stage.is_gone(&before.links[1]),
    ),
    quiet(
        "end the link of a network",
        nothing,
        |stage, before| stage.server.delete(&before.links[0]),
        |stage, before| stage.is_gone(&before.links[0]),
    ),
    quiet(
        "link a storage",
        end_link,
        |stage, before| link(stage, "storagelink", &before.compute, &before.storage),
        |stage, before| stage.any("storagelink", &before.storage),
    ),
    powered("start", up, |stage, before| stage.act(&before.compute, "start", &[]), is_active),
    powered(
        "start what is suspended",
        |stage, before| suspended(stage, before, "suspend"),
        |stage, before| stage.act(&before.compute, "start", &[]),
        is_active,
    ),
    powered(
        "start what is hibernated",
        |stage, before| suspended(stage, before, "hibernate"),
        |stage, before| stage.act(&before.compute, "start", &[]),
        is_active,
    ),
    powered(
        "stop",
        run,
        |stage, before| stage.act(&before.compute, "stop", &["method=\"poweroff\""]),
        |stage, before| stage.shows(&before.compute, "occi.compute.state=\"inactive\""),
    ),
    powered(
        "restart, warm",
        run,
        |stage, before| stage.act(&before.compute, "restart", &["method=\"warm\""]),
        is_active,
    ),
    powered(
        "restart, cold",
        run,
        |stage, before| stage.act(&before.compute, "restart", &["method=\"cold\""]),
        is_active,
    ),
    powered("suspend", run, |stage, before| stage.act(&before.compute, "suspend", &[]), is_suspended),
    powered(
        "hibernate",
        run,
        |stage, before| stage.act(&before.compute, "suspend", &["method=\"hibernate\""]),
        is_suspended,
    ),
    powered(
        "save",
        run,
        |stage, before| stage.act(&before.compute, "save", &[]),
        |stage, before| is_active(stage, before) && stage.saved("saved"),
    )
    .again(),
    // The guest system listens to its power button before it says what it sees.
    powered(
        "save, deferred",
        |stage, before| {
            run(stage, before);
            if stage.boots() {
                stage.server.prints(&before.compute, "OCCI guest sees disks");
            }
        },
        |stage, before| stage.act(&before.compute, "save", &["method=\"deferred\""]),
        |stage, before| is_active(stage, before) && stage.saved("saved"),
    ),
    powered(
        "another size",
        run,
        |stage, before| stage.server.post(&before.compute).text(body(&[MEDIUM], &[])),
        |stage, before| stage.shows(&before.compute, "Category: medium;"),
    ),
    quiet(
        "another system",
        nothing,
        |stage, before| stage.server.post(&before.compute).text(body(&[OTHER_IMAGE], &[])),
        |stage, before| stage.shows(&before.compute, "Category: other;"),
    ),
    quiet(
        "user data",
        nothing,
        |stage, before| {
            let told = body(&[&mixin("user_data", "compute")], &[USER_DATA]);
            stage.server.post(&before.compute).text(told)
        },
        |stage, before| stage.shows(&before.compute, "echo told"),
    ),
    quiet(
        "online",
        nothing,
        |stage, before| stage.act(&before.storage, "online", &[]),
        |stage, before| stage.shows(&before.storage, "occi.storage.state=\"online\""),
    ),
    quiet(
        "offline",
        |stage, before| drop(stage.server.act(&before.storage, "online", &[]).is(200)),
        |stage, before| stage.act(&before.storage, "offline", &[]),
        |stage, before| stage.shows(&before.storage, "occi.storage.state=\"offline\""),
    ),
    quiet(
        "back up",
        nothing,
        |stage, before| stage.act(&before.storage, "backup", &[]),
        |stage, _| stage.saved("storage-backup"),
    )
    .again(),
    powered(
        "back up what is in use",
        run,
        |stage, before| stage.act(&before.storage, "backup", &[]),
        |stage, _| stage.saved("storage-backup"),
    )
    .again(),
    quiet(
        "take a snapshot",
        end_link,
        |stage, before| stage.act(&before.storage, "snapshot", &[]),
        |stage, _| stage.saved("storage-snapshot"),
    )
    .again(),
    quiet(
        "resize a storage",
        end_link,
        |stage, before| stage.act(&before.storage, "resize", &["size=2"]),
        is_larger,
    )
    .not_imitated(),
    powered(
        "resize a storage that is in use",
        run,
        |stage, before| stage.act(&before.storage, "resize", &["size=2"]),
        is_larger,
    )
    .not_imitated(),
    quiet(
        "another size of a storage",
        nothing,
        |stage, before| stage.server.post(&before.storage).text(body(&[], &["occi.storage.size=2"])),
        is_larger,
    )
    .not_imitated(),
    quiet(
        "up",
        nothing,
        |stage, before| stage.act(&before.network, "up", &[]),
        |stage, before| stage.shows(&before.network, "occi.network.state=\"active\""),
    ),
    quiet(
        "down",
        up,
        |stage, before| stage.act(&before.network, "down", &[]),
        |stage, before| stage.shows(&before.network, "occi.network.state=\"inactive\""),
    ),
    powered(
        "delete a compute that runs",
        run,
        |stage, before| stage.server.delete(&before.compute),
        |stage, before| stage.is_gone(&before.compute),
    ),
    quiet(
        "delete a storage",
        end_link,
        |stage, before| stage.server.delete(&before.storage),
        |stage, before| stage.is_gone(&before.storage),
    ),
    powered(
        "delete all",
        run,
        |stage, _| stage.server.delete("/"),
        |stage, _| stage.server.get("/").answers(200).locations().is_empty(),
    ),
];

/// What an operator has go to another hypervisor.
pub(crate) struct Move {
    pub(crate) name: &'static str,
    /// What comes before.
    pub(crate) prepare: fn(&Stage, &mut Before),
    /// Which it is.
    pub(crate) what: fn(&Before) -> &str,
    /// Whether its machine has power.
    pub(crate) has_power: bool,
}

pub(crate) const MOVES: &[Move] = &[
    Move {
        name: "a machine that is off",
        prepare: nothing,
        what: |before| &before.compute,
        has_power: false,
    },
    Move { name: "a machine that runs", prepare: run, what: |before| &before.compute, has_power: true },
    Move { name: "a volume", prepare: end_link, what: |before| &before.storage, has_power: false },
    Move { name: "a network", prepare: end_interface, what: |before| &before.network, has_power: false },
];

/// What brings one thing to another.
pub(crate) const ACROSS: Operation = quiet(
    "link a storage that is elsewhere",
    |stage, before| {
        end_link(stage, before);
        let (is_done, said) = stage.moves(&before.storage);
        assert!(is_done, "{said}");
    },
    |stage, before| link(stage, "storagelink", &before.compute, &before.storage),
    |stage, before| stage.any("storagelink", &before.storage),
);

fn nothing(_: &Stage, _: &mut Before) {}

pub(super) fn run(stage: &Stage, before: &mut Before) {
    up(stage, before);
    stage.server.act(&before.compute, "start", &[]).is(200);
}

fn suspended(stage: &Stage, before: &mut Before, method: &str) {
    run(stage, before);
    stage.server.act(&before.compute, "suspend", &[&format!("method={method:?}")]).is(200);
}

fn up(stage: &Stage, before: &mut Before) {
    stage.server.act(&before.network, "up", &[]).is(200);
}

fn with_range(stage: &Stage, before: &mut Before) {
    let plan = before.range.plan();
    before.network = stage.create("network", &[&mixin("ipnetwork", "network")], &[&plan[0], &plan[1]]);
    up(stage, before);
}

fn with_address(stage: &Stage, before: &Before) -> Request {
    let kinds = [&*kind("networkinterface"), &mixin("ipnetworkinterface", "networkinterface")];
    let attributes = [
        format!("occi.core.source={:?}", before.compute),
        format!("occi.core.target={:?}", before.network),
        format!("occi.networkinterface.address={:?}", before.range.address(9)),
        "occi.networkinterface.allocation=\"static\"".into(),
    ];
    stage.server.post("/networkinterface/").text(body(&kinds, &attributes.each_ref().map(|it| &**it)))
}

fn end_link(stage: &Stage, before: &mut Before) {
    stage.server.delete(&before.links[1]).answers(200);
}

fn end_interface(stage: &Stage, before: &mut Before) {
    stage.server.delete(&before.links[0]).answers(200);
}

fn link(stage: &Stage, term: &str, source: &str, target: &str) -> Request {
    let ends = [format!("occi.core.source={source:?}"), format!("occi.core.target={target:?}")];
    stage.server.post(&format!("/{term}/")).text(body(&[&kind(term)], &[&ends[0], &ends[1]]))
}

fn is_active(stage: &Stage, before: &Before) -> bool {
    stage.shows(&before.compute, "occi.compute.state=\"active\"")
}

fn is_suspended(stage: &Stage, before: &Before) -> bool {
    stage.shows(&before.compute, "occi.compute.state=\"suspended\"")
}

fn is_larger(stage: &Stage, before: &Before) -> bool {
    has_two(stage, &before.storage)
}

/// Whether a storage has 2 GiB.
fn has_two(stage: &Stage, storage: &str) -> bool {
    let shown = stage.server.get(storage).answers(200);
    shown.attribute("occi.storage.size").unwrap().parse() == Ok(2.0)
}
