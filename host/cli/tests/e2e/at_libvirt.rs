//! Where attributes are at libvirt, on QEMU.

use crate::occi::body;
use crate::qemu::{Qemu, domain};

/// INF-03, INF-04: `occi.compute.share` is the weight of the domain in the scheduling of processors.
#[test]
fn a_share_is_the_weight_of_the_domain() {
    let Some(qemu) = Qemu::start() else { return };
    let compute = qemu.server.create("compute", &["occi.compute.share=512"]);
    let defined = || qemu.virsh(&["dumpxml", "--inactive", &domain(&compute)]);
    let tuned = |weight: u32| format!("<cputune>\n    <shares>{weight}</shares>\n  </cputune>");
    assert!(defined().contains(&tuned(512)), "{}", defined());
    qemu.server.post(&compute).text(body(&[], &["occi.compute.share=2048"])).answers(200);
    assert!(defined().contains(&tuned(2048)), "{}", defined());
    let other = qemu.server.create("compute", &[]);
    assert!(!qemu.virsh(&["dumpxml", "--inactive", &domain(&other)]).contains("<cputune>"));
    qemu.server.delete("/").answers(200);
}

/// INF-03, INF-04: `occi.compute.architecture` is that of the domain, which runs as such.
#[test]
fn an_architecture_is_the_domains() {
    let Some(qemu) = Qemu::start() else { return };
    for (asked, given) in [(None, "x86_64"), (Some("x64"), "x86_64"), (Some("x86"), "i686")] {
        let asked = asked.map(|asked| format!("occi.compute.architecture={asked:?}"));
        let compute = qemu.server.create("compute", &asked.as_deref().into_iter().collect::<Vec<_>>());
        let wanted = format!("<type arch='{given}' machine='pc");
        let defined = qemu.virsh(&["dumpxml", "--inactive", &domain(&compute)]);
        assert!(defined.contains(&wanted), "{defined}");
        // Its guest system can say that it panicked, on either.
        assert!(defined.contains("<panic model='isa'") && defined.contains("<on_crash>preserve</on_crash>"));
        qemu.server.act(&compute, "start", &[]).is(200);
        assert!(qemu.virsh(&["dumpxml", &domain(&compute)]).contains(&wanted));
        qemu.server.delete(&compute).answers(200);
    }
}

/// INF-03, INF-04: `occi.network.label` is what people see of a network at libvirt, where it has no title.
#[test]
fn a_label_is_the_title_of_the_network() {
    let Some(qemu) = Qemu::start() else { return };
    let (labelled, both) = (
        qemu.server.create("network", &["occi.network.label=\"tag-7\""]),
        qemu.server.create("network", &["occi.network.label=\"tag-7\"", "occi.core.title=\"The lan\""]),
    );
    for (network, title) in [(&labelled, "tag-7"), (&both, "The lan")] {
        let defined = || qemu.virsh(&["net-dumpxml", "--inactive", &domain(network)]);
        assert!(defined().contains(&format!(" title=\"{title}\"")), "{}", defined());
        qemu.server.act(network, "up", &[]).is(200);
        assert!(qemu.virsh(&["net-dumpxml", &domain(network)]).contains(&format!(" title=\"{title}\"")));
    }
    qemu.server.post(&labelled).text(body(&[], &["occi.network.label=\"tag-8\""])).answers(200);
    let defined = qemu.virsh(&["net-dumpxml", "--inactive", &domain(&labelled)]);
    assert!(defined.contains(" title=\"tag-8\""), "{defined}");
    qemu.server.delete("/").answers(200);
}
