//! The hypervisor's words for why a machine is in its state.

use virt::sys;

/// The word for a reason; libvirt counts them anew in each state.
#[expect(clippy::cast_possible_wrap, reason = "libvirt's enumerations are small and never negative")]
pub(super) fn word(state: sys::virDomainState, reason: i32) -> &'static str {
    /// libvirt's number of a reason.
    const fn is(reason: u32) -> i32 {
        reason as i32
    }
    let words: &[(i32, &str)] = match state {
        sys::VIR_DOMAIN_RUNNING | sys::VIR_DOMAIN_BLOCKED => &[
            (is(sys::VIR_DOMAIN_RUNNING_BOOTED), "booted"),
            (is(sys::VIR_DOMAIN_RUNNING_MIGRATED), "migrated"),
            (is(sys::VIR_DOMAIN_RUNNING_RESTORED), "restored"),
            (is(sys::VIR_DOMAIN_RUNNING_FROM_SNAPSHOT), "from snapshot"),
            (is(sys::VIR_DOMAIN_RUNNING_UNPAUSED), "unpaused"),
            (is(sys::VIR_DOMAIN_RUNNING_MIGRATION_CANCELED), "migration canceled"),
            (is(sys::VIR_DOMAIN_RUNNING_SAVE_CANCELED), "save canceled"),
            (is(sys::VIR_DOMAIN_RUNNING_WAKEUP), "event wakeup"),
            (is(sys::VIR_DOMAIN_RUNNING_CRASHED), "crashed"),
            (is(sys::VIR_DOMAIN_RUNNING_POSTCOPY), "post-copy"),
            (is(sys::VIR_DOMAIN_RUNNING_POSTCOPY_FAILED), "post-copy failed"),
        ],
        sys::VIR_DOMAIN_PAUSED => &[
            (is(sys::VIR_DOMAIN_PAUSED_USER), "user"),
            (is(sys::VIR_DOMAIN_PAUSED_MIGRATION), "migrating"),
            (is(sys::VIR_DOMAIN_PAUSED_SAVE), "saving"),
            (is(sys::VIR_DOMAIN_PAUSED_DUMP), "dumping"),
            (is(sys::VIR_DOMAIN_PAUSED_IOERROR), "I/O error"),
            (is(sys::VIR_DOMAIN_PAUSED_WATCHDOG), "watchdog"),
            (is(sys::VIR_DOMAIN_PAUSED_FROM_SNAPSHOT), "from snapshot"),
            (is(sys::VIR_DOMAIN_PAUSED_SHUTTING_DOWN), "shutting down"),
            (is(sys::VIR_DOMAIN_PAUSED_SNAPSHOT), "creating snapshot"),
            (is(sys::VIR_DOMAIN_PAUSED_CRASHED), "crashed"),
            (is(sys::VIR_DOMAIN_PAUSED_STARTING_UP), "starting up"),
            (is(sys::VIR_DOMAIN_PAUSED_POSTCOPY), "post-copy"),
            (is(sys::VIR_DOMAIN_PAUSED_POSTCOPY_FAILED), "post-copy failed"),
            (is(sys::VIR_DOMAIN_PAUSED_API_ERROR), "API error"),
        ],
        sys::VIR_DOMAIN_SHUTDOWN => &[(is(sys::VIR_DOMAIN_SHUTDOWN_USER), "user")],
        sys::VIR_DOMAIN_SHUTOFF => &[
            (is(sys::VIR_DOMAIN_SHUTOFF_SHUTDOWN), "shutdown"),
            (is(sys::VIR_DOMAIN_SHUTOFF_DESTROYED), "destroyed"),
            (is(sys::VIR_DOMAIN_SHUTOFF_CRASHED), "crashed"),
            (is(sys::VIR_DOMAIN_SHUTOFF_MIGRATED), "migrated"),
            (is(sys::VIR_DOMAIN_SHUTOFF_SAVED), "saved"),
            (is(sys::VIR_DOMAIN_SHUTOFF_FAILED), "failed"),
            (is(sys::VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT), "from snapshot"),
            (is(sys::VIR_DOMAIN_SHUTOFF_DAEMON), "daemon"),
        ],
        sys::VIR_DOMAIN_CRASHED => &[(is(sys::VIR_DOMAIN_CRASHED_PANICKED), "panicked")],
        _ => &[],
    };
    words.iter().find(|(number, _)| *number == reason).map_or("unknown", |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_has_another_word_in_another_state() {
        assert_eq!(word(sys::VIR_DOMAIN_RUNNING, 1), "booted");
        assert_eq!(word(sys::VIR_DOMAIN_SHUTOFF, 2), "destroyed");
        assert_eq!(word(sys::VIR_DOMAIN_SHUTOFF, 0), "unknown");
        assert_eq!(word(sys::VIR_DOMAIN_PAUSED, 99), "unknown");
    }
}
