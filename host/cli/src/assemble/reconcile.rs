//! Compares what there is with what there should be, now and then: events tell what happens, and this what they have missed.
//! Entities are asked of their extensions; what is at a hypervisor without an entity is reported, and left alone.

use crate::control::strays;
use occi_capability::Nodes;
use occi_operation::Core;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Does so until the server ends. The start has looked at everything itself.
pub(super) fn begin(core: &Arc<Core>, nodes: Arc<Nodes>, every: Duration) {
    let core = Arc::downgrade(core);
    tokio::spawn(async move {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let (mut seen, mut said) = (HashSet::new(), HashSet::new());
        loop {
            ticks.tick().await;
            let Some(core) = core.upgrade() else { return };
            let strays = strays_at(&nodes, &core).await;
            core.observe_all();
            // What is made or ended at this moment is none the next time.
            let stay = strays.iter().filter(|stray| seen.contains(*stray));
            for stray in stay.filter(|stray| !said.contains(*stray)) {
                tracing::warn!("at a hypervisor without an entity, and left alone: {stray}");
            }
            said = seen.intersection(&strays).cloned().collect();
            seen = strays;
        }
    });
}

/// What is without an entity at those that answer.
async fn strays_at(nodes: &Nodes, core: &Core) -> HashSet<String> {
    let mut all = HashSet::new();
    for node in nodes.all() {
        match node.hypervisor().inventory().await {
            Ok(found) => {
                // What is at another node than it is remembered to be is looked for anew.
                found.entities().for_each(|entity| nodes.heard_of(node, entity));
                match strays(core, &found) {
                    Ok(strays) => {
                        all.extend(strays.into_iter().map(|stray| format!("{stray}, at {}", node.name())));
                    }
                    Err(refusal) => tracing::error!("what is at a hypervisor cannot be compared: {refusal}"),
                }
            }
            Err(error) => {
                tracing::debug!(node = node.name(), "what is at a hypervisor cannot be told: {error}");
            }
        }
    }
    all
}
