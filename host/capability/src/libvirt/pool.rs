//! Threads for calls that let their caller wait: as many as may run at once, all fed by one queue. A thread that is done
//! takes the next call itself, so under load nobody is woken to hand it over.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// The threads end when this does, each after what it is doing.
#[derive(Debug)]
pub(super) struct Pool {
    queue: Sender<Job>,
}

/// Whose turn it is: the call's to begin, or its caller's to take it back.
#[derive(Debug, Default)]
pub(super) struct Turn(AtomicBool);

impl Turn {
    /// Whether nobody took it before.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

impl Pool {
    pub(super) fn start(name: &str, threads: usize) -> io::Result<Self> {
        let (queue, jobs) = unbounded();
        for _ in 0..threads.max(1) {
            let jobs = jobs.clone();
            thread::Builder::new().name(name.to_owned()).spawn(move || work(&jobs))?;
        }
        Ok(Self { queue })
    }

    /// What `call` answers; none where it panicked. A caller who gives up before its `turn` has come takes it back; a call
    /// that has begun goes on to its end.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        turn: Arc<Turn>,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job = move || {
            if !answer.is_closed() && turn.take() {
                // Whoever gave up meanwhile does not want to know.
                let _unheard = answer.send(call());
            }
        };
        self.queue.send(Box::new(job)).ok()?;
        answered.await.ok()
    }
}

fn work(jobs: &Receiver<Job>) {
    for job in jobs {
        // The hook has reported the panic; its caller finds that there is no answer.
        let _reported = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::{Barrier, mpsc};
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn as_many_run_at_once_as_there_are_threads() {
        let pool = Arc::new(Pool::start("test", 3).unwrap());
        let meeting = Arc::new(Barrier::new(3));
        let calls: Vec<_> = (0..9)
            .map(|number| {
                let (pool, meeting) = (Arc::clone(&pool), Arc::clone(&meeting));
                tokio::spawn(async move {
                    pool.run(Arc::default(), move || {
                        meeting.wait();
                        number
                    })
                    .await
                })
            })
            .collect();
        for (number, call) in calls.into_iter().enumerate() {
            assert_eq!(call.await.unwrap(), Some(number));
        }
    }

    #[tokio::test]
    async fn a_panic_costs_no_thread() {
        let pool = Pool::start("test", 1).unwrap();
        assert_eq!(pool.run(Arc::default(), || -> u8 { panic!("as planned") }).await, None);
        assert_eq!(pool.run(Arc::default(), || 1).await, Some(1));
    }

    #[tokio::test]
    async fn what_is_taken_back_in_time_is_not_done() {
        let pool = Pool::start("test", 1).unwrap();
        let (go, gate) = mpsc::channel::<()>();
        let done = Arc::new(AtomicUsize::new(0));
        let counted = |gate: Option<mpsc::Receiver<()>>| {
            let done = Arc::clone(&done);
            move || {
                gate.map(|gate| gate.recv());
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        let soon = Duration::from_millis(20);
        assert!(timeout(soon, pool.run(Arc::default(), counted(Some(gate)))).await.is_err(), "it has begun");
        assert!(
            timeout(soon, pool.run(Arc::default(), counted(None))).await.is_err(),
            "it waits behind the first"
        );
        go.send(()).unwrap();
        assert_eq!(pool.run(Arc::default(), || ()).await, Some(()));
        assert_eq!(done.load(Ordering::Relaxed), 1, "the first went on to its end, the second never began");
    }
}
