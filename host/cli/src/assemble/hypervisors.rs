//! The hypervisors, and what they tell by themselves.

use crate::config::{Config, DomainType, Node};
use anyhow::Context;
use occi_capability::Nodes;
use occi_capability::libvirt::{self, Event, Events, Hypervisor, HypervisorConfig};
use occi_operation::{Cause, Core};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Connects to all of them.
pub(super) async fn open(config: &Config, data: &Path) -> anyhow::Result<Nodes> {
    let given = &config.hypervisor;
    given.check_files()?;
    let longest = given.short_seconds.max(given.long_seconds);
    if longest.saturating_mul(1000) >= config.sandbox.timeout_ms {
        tracing::warn!(
            "`sandbox.timeout-ms` ends a call before `hypervisor.short-seconds` or `long-seconds` do, so that the extension is blamed for what \
             the hypervisor does not answer; make it larger"
        );
    }
    let wanted = |uri: String| HypervisorConfig {
        uri,
        domain_type: match given.domain_type {
            DomainType::Auto => libvirt::DomainType::Auto,
            DomainType::Kvm => libvirt::DomainType::Kvm,
            DomainType::Qemu => libvirt::DomainType::Qemu,
        },
        pool: given.pool.clone(),
        volumes: given.volumes.clone(),
        shares_volumes: given.shared_volumes,
        format: given.format,
        console: Some(given.consoles.clone().unwrap_or_else(|| data.join("consoles"))),
        boot: given.boot.as_ref().map(|boot| libvirt::Boot {
            kernel: boot.kernel.clone(),
            initrd: boot.initrd.clone(),
            cmdline: boot.cmdline.clone(),
        }),
        cores: given.cores,
        memory: given.memory_mib << 20,
        translate: given.translate,
        survey_age: HypervisorConfig::default().survey_age,
        short: libvirt::Call {
            patience: Duration::from_secs(given.short_seconds),
            ..HypervisorConfig::default().short
        },
        long: libvirt::Call {
            patience: Duration::from_secs(given.long_seconds),
            ..HypervisorConfig::default().long
        },
    };
    let mut nodes = Vec::new();
    for Node { name, uri, labels, takes_new, migration } in given.nodes() {
        let opened = Hypervisor::open(wanted(uri.clone())).await;
        let hypervisor = opened.with_context(|| format!("the hypervisor at {uri}"))?;
        let node = occi_capability::Node::new(name, labels, takes_new, hypervisor);
        nodes.push(node.reached_at(migration));
    }
    Ok(Nodes::new(nodes))
}

/// What happens at each of them from now on.
pub(super) fn events(nodes: &Nodes) -> Vec<Events> {
    nodes.all().iter().map(|node| node.hypervisor().events()).collect()
}

/// Passes their events on. Only after the recovery: what it has yet to make again would be found missing.
pub(super) fn follow(events: Vec<Events>, nodes: &Arc<Nodes>, core: &Arc<Core>) {
    for (number, mut events) in events.into_iter().enumerate() {
        let (core, nodes) = (Arc::downgrade(core), Arc::clone(nodes));
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let Some(core) = core.upgrade() else { return };
                let node = &nodes.all()[number];
                match event {
                    Event::Changed(entity) => {
                        nodes.heard_of(node, entity);
                        core.observe(entity, Cause::Event);
                    }
                    // It is what it was.
                    Event::Restarted(_) => {}
                    Event::Missed => {
                        nodes.look_anew();
                        core.observe_all();
                    }
                    // They are asked, and find that nobody knows.
                    Event::Away => core.observe_those(Cause::Event, |entity| nodes.may_have(node, entity.id)),
                }
            }
        });
    }
}
