//! Entities of the infrastructure: what they show, and what its Mixins bring to them. How they are described is in
//! `infrastructure`, what their actions do in `infrastructure_actions`.

use serde_json::Value;

use super::infrastructure::implemented;
use super::{Check, check};
use crate::client::OCCI_JSON;
use crate::draft::{Draft, attribute, category};
use crate::session::{Entity, Session};
use crate::standard::{
    BASE, COMPUTE, IPNETWORK, IPNETWORKINTERFACE, KINDS, Kind, Mixin, NETWORK, NETWORKINTERFACE, SSH_KEY,
    STORAGE, STORAGELINK, USER_DATA,
};
use crate::verdict::{Stop, Verdict, skip};
use crate::wire::text::Text;

pub(super) const CHECKS: &[Check] = &[
    check(&["INF-01"], what_is_shown_can_be_discovered),
    check(&["INF-03"], |s| an_instance_exposes_its_kind(s, &COMPUTE)),
    check(&["INF-03"], |s| an_instance_exposes_its_kind(s, &NETWORK)),
    check(&["INF-03"], |s| an_instance_exposes_its_kind(s, &STORAGE)),
    check(&["INF-03"], |s| an_instance_exposes_its_kind(s, &NETWORKINTERFACE)),
    check(&["INF-03"], |s| an_instance_exposes_its_kind(s, &STORAGELINK)),
    check(&["INF-04"], |s| what_is_always_there_is_shown(s, &COMPUTE)),
    check(&["INF-04"], |s| what_is_always_there_is_shown(s, &NETWORK)),
    check(&["INF-04"], |s| what_is_always_there_is_shown(s, &STORAGE)),
    check(&["INF-04"], |s| what_is_always_there_is_shown(s, &NETWORKINTERFACE)),
    check(&["INF-04"], |s| what_is_always_there_is_shown(s, &STORAGELINK)),
    check(&["INF-04"], a_storage_has_a_size),
    check(&["INF-07"], |s| a_mixin_brings_its_attributes(s, &IPNETWORK)),
    check(&["INF-08"], |s| a_mixin_brings_its_attributes(s, &IPNETWORKINTERFACE)),
    check(&["INF-18"], |s| a_mixin_brings_its_attributes(s, &SSH_KEY)),
    check(&["INF-19"], |s| a_mixin_brings_its_attributes(s, &USER_DATA)),
    check(&["INF-07"], |s| a_mixin_is_for_its_kind_alone(s, &IPNETWORK)),
    check(&["INF-08"], |s| a_mixin_is_for_its_kind_alone(s, &IPNETWORKINTERFACE)),
    check(&["INF-18"], |s| a_mixin_is_for_its_kind_alone(s, &SSH_KEY)),
    check(&["INF-19"], |s| a_mixin_is_for_its_kind_alone(s, &USER_DATA)),
];

/// The types that an entity shows by which it says what it is, what can be done with it and what it is linked to.
fn types_of(shown: &Text) -> Vec<String> {
    let links = shown.links.iter().flat_map(|link| {
        let categories = link.category.iter().flat_map(|all| all.split(' '));
        std::iter::once(link.rel.as_str()).chain(categories).map(str::to_owned)
    });
    shown.categories.iter().map(crate::wire::category::Category::id).chain(links).collect()
}

fn what_is_shown_can_be_discovered(s: &mut Session) -> Verdict {
    let mut any = false;
    for (kind, _) in implemented(s)? {
        let Ok(entity) = s.make_standard(kind) else { continue };
        any = true;
        let answer = s.client.get(&entity.url).send()?.needed("read an entity")?;
        let all = s.client.get("-/").send()?.needed("read the query interface")?.read();
        let lost = types_of(&answer.read()).into_iter().find(|id| id.starts_with(BASE) && !all.has(id));
        if let Some(lost) = lost {
            return answer.wrong("types of the infrastructure that the query interface has", lost);
        }
    }
    if any { Ok(()) } else { skip("no entity of the infrastructure can be made here") }
}

fn an_instance_exposes_its_kind(s: &mut Session, kind: &Kind) -> Verdict {
    let entity = s.make_standard(kind)?;
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    answer.hold(answer.read().has(&kind.id()), &format!("the Kind {}", kind.id()))?;
    if s.model.json.is_null() {
        return Ok(());
    }
    let answer = s.client.get(&entity.url).accept(OCCI_JSON).send()?.is(&[200])?;
    answer.hold(answer.value()["kind"] == *kind.id(), &format!("the Kind {}", kind.id()))
}

fn what_is_always_there_is_shown(s: &mut Session, kind: &Kind) -> Verdict {
    let entity = s.make_standard(kind)?;
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    let read = answer.read();
    for wanted in kind.attributes.iter().filter(|wanted| wanted.is_always_there) {
        answer.hold(read.attribute(wanted.name).is_some(), &format!("{}, always", wanted.name))?;
    }
    let state = read.attribute(&kind.state()).and_then(Value::as_str).unwrap_or_default();
    let expected = format!("{} as one of: {}", kind.state(), kind.states.join(", "));
    if kind.states.contains(&state) { Ok(()) } else { answer.wrong(&expected, state) }
}

/// A server that does not ask for a size picks one, and shows it.
fn a_storage_has_a_size(s: &mut Session) -> Verdict {
    const SIZE: &str = "occi.storage.size";
    let whole = s.standard_draft(&STORAGE)?;
    s.make(&whole)?;
    let draft = whole.without(SIZE);
    let answer = s.client.post(&draft.location).draft(&draft).send()?;
    if !answer.succeeded() {
        return answer.refused().map(drop);
    }
    let entity = s.located(&answer, &draft)?;
    let shown = s.client.get(&entity.url).send()?.is(&[200])?;
    shown.hold(shown.read().attribute(SIZE).is_some(), &format!("{SIZE}, or a refusal without it"))
}

fn offered(s: &Session, mixin: &Mixin) -> Verdict {
    if s.model.find(&mixin.id()).is_some() {
        return Ok(());
    }
    skip(format!("the server has no Mixin {}", mixin.id()))
}

/// What a creation with a Mixin says: all of its attributes.
fn with(draft: Draft, mixin: &Mixin) -> Draft {
    let draft = draft.mixin((mixin.scheme, mixin.term));
    mixin.attributes.iter().fold(draft, |draft, (name, value)| draft.with(name, *value))
}

/// An entity that the Mixin applies to, still to be made. The address of an interface is one of its network.
fn draft_for(s: &mut Session, mixin: &Mixin) -> Verdict<Draft> {
    let draft = s.standard_draft(mixin.applies)?;
    if mixin.term == IPNETWORKINTERFACE.term && s.model.find(&IPNETWORK.id()).is_some() {
        let network = s.standard_draft(&NETWORK)?;
        if let Ok(network) = s.make(&with(network, &IPNETWORK)) {
            return Ok(draft.with("occi.core.target", network.url));
        }
    }
    Ok(draft)
}

/// Whether an entity shows the Mixin and its attributes, each with a value.
fn shows(s: &Session, entity: &Entity, mixin: &Mixin) -> Verdict {
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    let read = answer.read();
    answer.hold(read.has(&mixin.id()), &format!("the Mixin {}, which it was given", mixin.id()))?;
    for (name, value) in mixin.attributes {
        answer.hold(read.attribute(name).is_some(), &format!("{name}, which was given as {value}"))?;
    }
    Ok(())
}

/// At creation, and put on afterwards.
fn a_mixin_brings_its_attributes(s: &mut Session, mixin: &Mixin) -> Verdict {
    offered(s, mixin)?;
    let draft = draft_for(s, mixin)?;
    let made = s.make(&with(draft, mixin));
    if let Ok(entity) = &made {
        shows(s, entity, mixin)?;
    }
    // Two have not the same address.
    s.tidy();
    let draft = draft_for(s, mixin)?;
    let entity = s.make(&draft)?;
    let mut lines = vec![category(mixin.term, mixin.scheme, "mixin")];
    lines.extend(mixin.attributes.iter().map(|(name, value)| attribute(name, &Value::from(*value))));
    let answer = s.client.post(&entity.url).text(&lines).send()?;
    if answer.succeeded() {
        return shows(s, &entity, mixin);
    }
    made.map(drop)
}

/// On an entity of any other Kind of the infrastructure it is refused.
fn a_mixin_is_for_its_kind_alone(s: &mut Session, mixin: &Mixin) -> Verdict {
    offered(s, mixin)?;
    let mut why = Stop::NotApplicable("no other Kind of the infrastructure can be made here".into());
    let mut any = false;
    for kind in KINDS.iter().filter(|kind| kind.term != mixin.applies.term && !kind.is_link) {
        let made = s.standard_draft(kind).and_then(|draft| s.make(&draft).map(|_| draft));
        match made {
            Err(stop) => why = stop,
            Ok(draft) => {
                any = true;
                let draft = with(draft, mixin);
                let answer = s.client.post(&draft.location).draft(&draft).send()?;
                s.made(&answer);
                answer.refused()?;
            }
        }
    }
    if any { Ok(()) } else { Err(why) }
}
