//! What each clause of the JSON rendering means in bytes that are sent.

use crate::{MediaType, example, render};
use occi_model::{CategoryView, Representation};

fn json(representation: &Representation) -> String {
    let rendered = render(MediaType::OcciJson, representation, "http://example.com").unwrap();
    assert_eq!((rendered.content_type, rendered.headers.len()), ("application/occi+json", 0));
    String::from_utf8(rendered.body).unwrap()
}

const LINK: &str = concat!(
    r#"{"kind":"http://schemas.ogf.org/occi/infrastructure#networkinterface","#,
    r#""id":"urn:uuid:66666666-7777-8888-9999-000000000000","#,
    r#""attributes":{"occi.networkinterface.interface":"eth0"},"#,
    r#""source":{"location":"/compute/1","kind":"http://schemas.ogf.org/occi/infrastructure#compute"},"#,
    r#""target":{"location":"/network/9"}}"#,
);

fn compute() -> String {
    let target = r#"{"location":"/network/9","kind":"http://schemas.ogf.org/occi/infrastructure#network"}"#;
    let link = LINK.replace(r#"{"location":"/network/9"}"#, target);
    let head = concat!(
        r#"{"kind":"http://schemas.ogf.org/occi/infrastructure#compute","#,
        r#""id":"urn:uuid:11111111-2222-3333-4444-555555555555","#,
        r#""title":"web, \"front\"\nend ä\\","summary":"a summary","mixins":["http://example.com/occi/tpl#small"],"#,
        r#""attributes":{"occi.compute.cores":2,"occi.compute.memory":4.0,"occi.compute.state":"inactive"},"#,
        r#""actions":["http://schemas.ogf.org/occi/infrastructure/compute/action#start"],"links":["#,
    );
    format!("{head}{link}]}}")
}

#[test]
fn json02_an_entity_is_an_object() {
    // JSON-03, JSON-04, JSON-10, JSON-11; Q-54: it has no location.
    assert_eq!(json(&Representation::Entity(example::compute())), compute());
    // JSON-12: a Kind only where it is known.
    assert_eq!(json(&Representation::Entity(example::link(None))), LINK);
}

#[test]
fn q21_the_alias_is_answered_under_its_own_name() {
    let rendered = render(MediaType::Json, &Representation::Entity(example::link(None)), "").unwrap();
    assert_eq!((rendered.content_type, &*rendered.body), ("application/json", LINK.as_bytes()));
}

#[test]
fn json06_a_collection_holds_its_entities_in_full() {
    let of = |views| json(&Representation::Collection(views));
    let (resource, link) = (example::compute(), example::link(None));
    assert_eq!(of(vec![resource.clone()]), format!(r#"{{"resources":[{}]}}"#, compute()));
    assert_eq!(of(vec![link.clone()]), format!(r#"{{"links":[{LINK}]}}"#));
    // Q-32
    assert_eq!(of(vec![link, resource]), format!(r#"{{"resources":[{}],"links":[{LINK}]}}"#, compute()));
    // Q-26
    assert_eq!(of(Vec::new()), r#"{"resources":[]}"#);
}

#[test]
fn what_has_no_object_is_empty() {
    let one = json(&Representation::Created(vec![example::compute()]));
    assert_eq!(one, json(&Representation::Entity(example::compute())));
    let views = vec![example::compute(), example::link(None)];
    assert_eq!(json(&Representation::Created(views.clone())), json(&Representation::Collection(views)));
    assert_eq!(json(&Representation::Done), "{}");
}

#[test]
fn json11_the_query_interface_is_one_object() {
    let all = json(&Representation::Categories(example::categories()));
    let kind = concat!(
        r#"{"term":"disk","scheme":"http://x#","title":"A \"disk\"","attributes":{"#,
        r#""occi.core.id":{"mutable":false,"required":true,"type":"string","description":"The identifier, a URI"},"#,
        r#""occi.core.title":{"mutable":true,"required":false,"type":"string","description":"A name for people"},"#,
        r#""occi.core.summary":{"mutable":true,"required":false,"type":"string","description":"A summary for people"},"#,
        // JSON-09: mutable, required and type are always stated. Q-70: the pattern is a schema, and says `integer`.
        r#""x.size":{"mutable":true,"required":true,"type":"number","pattern":{"$schema":"http://json-schema.org/draft-04/schema#","#,
        r#""type":"integer","minimum":1,"maximum":2.5},"default":1,"description":"GiB"},"#,
        r#""x.state":{"mutable":false,"required":false,"type":"string","#,
        r#""pattern":{"$schema":"http://json-schema.org/draft-04/schema#","enum":["on","off"]}},"#,
        r#""x.name":{"mutable":true,"required":false,"type":"string","#,
        r#""pattern":{"$schema":"http://json-schema.org/draft-04/schema#","pattern":"^(?:[a-z]+|b)$","maxLength":8}}},"#,
        r#""parent":"http://schemas.ogf.org/occi/core#resource","actions":["http://x/action#switch"],"location":"/disk/"}"#,
    );
    let mixin = concat!(
        r#"{"term":"fast","scheme":"http://x#","attributes":{"x.rates":{"mutable":true,"required":false,"type":"array"}},"#,
        r#""depends":["http://x#base","http://x#other"],"applies":["http://x#disk"],"location":"/fast/"}"#,
    );
    let action = concat!(
        r#"{"term":"switch","scheme":"http://x/action#","title":"Switch","#,
        r#""attributes":{"method":{"mutable":true,"required":false,"type":"string"}}}"#,
    );
    // HTTP-03: core#entity has no location.
    let entity = concat!(
        r#"{"term":"entity","scheme":"http://schemas.ogf.org/occi/core#","title":"Entity","attributes":{"#,
        r#""occi.core.id":{"mutable":false,"required":true,"type":"string","description":"The identifier, a URI"},"#,
        r#""occi.core.title":{"mutable":true,"required":false,"type":"string","description":"A name for people"}}}"#,
    );
    assert_eq!(all, format!(r#"{{"kinds":[{entity},{kind}],"mixins":[{mixin}],"actions":[{action}]}}"#));
}

#[test]
fn a_query_without_answers_names_all_three_lists() {
    assert_eq!(json(&Representation::Categories(Vec::new())), r#"{"kinds":[],"mixins":[],"actions":[]}"#);
    let mixin: Vec<_> =
        example::categories().into_iter().filter(|view| matches!(view, CategoryView::Mixin(_))).collect();
    assert!(json(&Representation::Categories(mixin)).starts_with(r#"{"kinds":[],"mixins":[{"term":"fast""#));
}
