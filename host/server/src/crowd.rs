//! The connections that are open, so that one that nobody uses can make room for one that somebody does.

use crate::activity::Activity;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A connection is not idle before it has done nothing for so long: the next request may be on its way.
const IDLE: Duration = Duration::from_millis(250);

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Crowd(Mutex<Members>);

#[derive(Debug, Default)]
struct Members {
    open: HashMap<u64, Member>,
    next: u64,
}

#[derive(Debug)]
struct Member {
    activity: Activity,
    /// That it is to end when what goes on on it has ended.
    leave: CancellationToken,
}

/// A connection's place, until it is dropped.
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    number: u64,
}

impl Crowd {
    fn members(&self) -> std::sync::MutexGuard<'_, Members> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more, which is told by `leave`.
    pub(crate) fn enter(self: &Arc<Self>, activity: Activity, leave: CancellationToken) -> Place {
        let mut members = self.members();
        let number = members.next;
        members.next += 1;
        members.open.insert(number, Member { activity, leave });
        Place { crowd: Arc::clone(self), number }
    }

    /// Tells the one that has done nothing for the longest time to leave; none where all are at work.
    pub(crate) fn make_room(&self) {
        let members = self.members();
        let idle = members.open.values().filter(|member| !member.leave.is_cancelled());
        let longest = idle.filter_map(|member| Some((member.activity.idle_since()?, member)));
        if let Some((since, member)) = longest.min_by_key(|(since, _)| *since)
            && since.elapsed() >= IDLE
        {
            member.leave.cancel();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.members().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Version;

    #[tokio::test(start_paused = true)]
    async fn the_one_that_is_idle_longest_leaves_first() {
        let crowd = Arc::new(Crowd::default());
        let mut all = Vec::new();
        for _ in 0..4 {
            let (activity, leave) = (Activity::new(), CancellationToken::new());
            all.push((crowd.enter(activity.clone(), leave.clone()), activity, leave));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let left = |all: &[(Place, Activity, CancellationToken)]| -> Vec<bool> {
            all.iter().map(|(_, _, leave)| leave.is_cancelled()).collect()
        };
        let busy = all[0].1.request(Version::HTTP_11);
        drop(all[1].1.request(Version::HTTP_11));
        crowd.make_room();
        assert_eq!(left(&all), [false, false, true, false], "it has waited longest");
        drop(all.remove(2));
        tokio::time::advance(IDLE).await;
        crowd.make_room();
        crowd.make_room();
        assert_eq!(left(&all), [false, true, true]);
        crowd.make_room();
        assert_eq!(left(&all), [false, true, true], "one at work stays");
        drop(busy);
        crowd.make_room();
        assert_eq!(left(&all), [false, true, true], "one that has just been used stays");
        tokio::time::advance(IDLE).await;
        crowd.make_room();
        assert_eq!(left(&all), [true, true, true]);
    }
}
