//! WASI's clocks, configuration, log and chance.

use crate::Report;
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::wasi::config::store as config;
use crate::bindings::wasi::io::poll;
use crate::bindings::wasi::logging::logging::{Level, log};
use crate::bindings::wasi::random::{insecure, insecure_seed, random};

pub(crate) fn tour(report: &mut Report) {
    let before = monotonic_clock::now();
    monotonic_clock::subscribe_duration(1_000_000).block();
    let instant = monotonic_clock::subscribe_instant(before + 2_000_000);
    report.say("poll", poll::poll(&[&instant]).len());
    report.say("pollable.ready", instant.ready());
    report.say(
        "monotonic-clock",
        monotonic_clock::now() >= before + 2_000_000 && monotonic_clock::resolution() > 0,
    );
    let after_2020 = wall_clock::now().seconds > 1_577_836_800;
    report.say("wall-clock", after_2020 && wall_clock::resolution().seconds < 2);

    let greeting = config::get("greeting").ok().flatten();
    report.say("config.get", greeting.unwrap_or_default());
    report.say("config.get-all", config::get_all().map_or(0, |all| all.len()));

    log(Level::Info, "exhibit", "was here");

    report.say(
        "random",
        random::get_random_bytes(9).len() == 9 && random::get_random_u64() != random::get_random_u64(),
    );
    let insecure = insecure::get_insecure_random_bytes(3).len() == 3
        && insecure::get_insecure_random_u64() != insecure::get_insecure_random_u64();
    report.say("insecure", insecure);
    report.say("insecure-seed", insecure_seed::insecure_seed() != (0, 0));
}
