//! That the suite would notice: where a limit is missing, an attack is not contained.

use super::{SANDBOX, attack, attacker, is_contained, start};

/// The same attack with and without a limit.
fn is_noticed(action: &str, status: u16, reason: &str, without: &str) {
    for (config, holds) in [(SANDBOX, true), (without, false)] {
        let (server, _folder) = start(config);
        let path = attacker(&server);
        let contained = is_contained(&attack(&server, &path, action, &[]), status, reason);
        assert_eq!(contained.is_ok(), holds, "{action}: {contained:?}");
    }
}

#[test]
fn a_missing_limit_of_computing_is_noticed() {
    is_noticed("loop", 503, "500 ms of computing", "[sandbox]\ndeadline-ms = 86400000\ntimeout-ms = 3000\n");
}

#[test]
fn a_missing_limit_of_time_is_noticed() {
    is_noticed("wait", 503, "3000 ms of waiting", "[sandbox]\ndeadline-ms = 500\ntimeout-ms = 6000\n");
}

#[test]
fn a_missing_limit_of_host_calls_is_noticed() {
    let without = "[sandbox]\ndeadline-ms = 500\ntimeout-ms = 3000\nhost-calls = 1000000000\n";
    is_noticed("call-flood", 500, "called the host more than the 5000 times", without);
}

#[test]
fn a_missing_limit_of_memory_is_noticed() {
    let (server, _folder) = start("[sandbox]\nmemory-mib = 512\n");
    let answer = attack(&server, &attacker(&server), "memory", &[]);
    is_contained(&answer, 500, "needs more than the 67108864 bytes").expect_err("it had more");
}
