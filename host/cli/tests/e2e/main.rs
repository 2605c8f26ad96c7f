//! The server as its clients and its operator meet it: the real binary, over HTTP. Each test has a server of its own,
//! with its own folder and port, so they run beside each other.
//!
//! The tests cite the clauses of the standard that they hold (HTTP-..: HTTP Protocol, H11-..: that of 1.1, TXT-..: text
//! rendering, JSON-..: JSON rendering, INF-..: Infrastructure, CORE-..: Core, Q-..: a decision where these leave room).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on panics, and says what it saw"
)]

// How tests speak.
mod agreement;
mod elsewhere;
mod html;
mod http;
mod hung;
mod mule;
mod occi;
mod ordered_links;
mod prometheus;
mod qemu;
mod server;
mod wire;

// What clients do.
mod act;
mod addresses;
mod at_libvirt;
mod batch;
mod bridges;
mod collection;
mod console;
mod create;
mod delete;
mod errors;
mod etag;
mod guide;
mod images;
mod large;
mod limits;
mod link;
mod migration;
mod mixin;
mod moves;
mod nodes;
mod offline;
mod power;
mod query;
mod quota;
mod race;
mod retrieve;
mod storage;
mod tags;
mod templates;
mod told;
mod unplug;
mod update;

// What operators do, and what happens to them.
mod asleep;
mod config;
mod crash;
mod exposition;
mod extension_resource;
mod extensions;
mod hang;
mod injected;
mod killed;
mod observe;
mod outside;
mod panic;
mod recovery;
mod sandbox;

// What hostile extensions do.
#[path = "../../../hostile/suite/mod.rs"]
mod hostile;

// What extensions do that others write.
mod author;
mod backup_policy;
mod c_sdk;
mod data;
mod dns_record;
mod entities;
mod floating_address;
mod foreign;
mod javascript_sdk;
mod metrics;
mod museum;
mod python_sdk;
mod quota_tag;
mod readings;
mod rehearsal;
