//! What each clause and quirk of the JSON rendering means in bytes.

use crate::{MediaType, parse};
use occi_model::{CategoryId, Class, Draft, Item, Value};

fn json(body: &str) -> Draft {
    parse(MediaType::OcciJson, [], body.as_bytes()).unwrap_or_else(|error| panic!("{error} in {body}"))
}

fn item(body: &str) -> Item {
    let mut draft = json(body);
    assert_eq!((draft.items.len(), draft.locations.len()), (1, 0), "{body}");
    draft.items.remove(0)
}

fn refused(body: &str) -> String {
    parse(MediaType::Json, [], body.as_bytes()).unwrap_err().to_string()
}

fn attributes(item: &Item) -> Vec<(&str, Value)> {
    item.attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

fn id(text: &str) -> CategoryId {
    CategoryId::parse(text).unwrap()
}

#[test]
fn a_resource_is_an_object() {
    // The digest's own example, JSON-03, JSON-04, JSON-10 to JSON-12.
    let item = item(
        r#"{"kind":"http://schemas.ogf.org/occi/infrastructure#compute",
 "id":"urn:uuid:11111111-2222-3333-4444-555555555555",
 "title":"web","summary":"front end",
 "mixins":["http://schemas.ogf.org/occi/infrastructure#os_tpl"],
 "attributes":{"occi.compute.cores":2,"occi.compute.memory":4.0,"occi.compute.state":"inactive"},
 "actions":["http://schemas.ogf.org/occi/infrastructure/compute/action#start"],
 "links":[{"kind":"http://schemas.ogf.org/occi/infrastructure#networkinterface",
   "id":"urn:uuid:66666666-7777-8888-9999-000000000000",
   "attributes":{"occi.networkinterface.interface":"eth0"},
   "source":{"location":"/compute/1","kind":"http://schemas.ogf.org/occi/infrastructure#compute"},
   "target":{"location":"/network/9","kind":"http://schemas.ogf.org/occi/infrastructure#network"}}]}"#,
    );
    let categories: Vec<_> = item.categories.iter().map(|category| (&category.id, category.class)).collect();
    let infrastructure = |term| id(&format!("http://schemas.ogf.org/occi/infrastructure#{term}"));
    let (kind, mixin) = (infrastructure("compute"), infrastructure("os_tpl"));
    assert_eq!(categories, [(&kind, Some(Class::Kind)), (&mixin, Some(Class::Mixin))]);
    assert_eq!(
        attributes(&item),
        [
            ("occi.compute.cores", Value::Integer(2)),
            ("occi.compute.memory", Value::Number(4.0)),
            ("occi.compute.state", "inactive".into()),
            ("occi.core.id", "urn:uuid:11111111-2222-3333-4444-555555555555".into()),
            ("occi.core.summary", "front end".into()),
            ("occi.core.title", "web".into()),
        ]
    );
    assert_eq!(item.actions, [id("http://schemas.ogf.org/occi/infrastructure/compute/action#start")]);
    let [link] = &*item.links else { panic!("{item:?}") };
    assert_eq!(
        attributes(link),
        [
            ("occi.core.id", "urn:uuid:66666666-7777-8888-9999-000000000000".into()),
            ("occi.core.source", "/compute/1".into()),
            ("occi.core.source.kind", "http://schemas.ogf.org/occi/infrastructure#compute".into()),
            ("occi.core.target", "/network/9".into()),
            ("occi.core.target.kind", "http://schemas.ogf.org/occi/infrastructure#network".into()),
            ("occi.networkinterface.interface", "eth0".into()),
        ]
    );
}

#[test]
fn json05_values_are_of_five_types() {
    let item = item(r#"{"attributes":{"a":1,"b":1e2,"c":"x","d":true,"e":[1,"y",[]],"f":{"g.h":-0.5}}}"#);
    let hash = [("g.h".to_owned(), Value::Number(-0.5))].into();
    assert_eq!(
        attributes(&item),
        [
            ("a", Value::Integer(1)),
            ("b", Value::Number(100.0)),
            ("c", "x".into()),
            ("d", Value::Boolean(true)),
            ("e", Value::List(vec![Value::Integer(1), "y".into(), Value::List(Vec::new())])),
            ("f", Value::Hash(hash)),
        ]
    );
    let huge = json(r#"{"attributes":{"a":18446744073709551615}}"#);
    assert_eq!(huge.items[0].attributes.get("a"), Some(&Value::Number(18_446_744_073_709_551_615.0)));
}

#[test]
fn json06_a_collection_holds_several() {
    let draft = json(
        r#"{"resources":[{"kind":"http://x#a"},{"kind":"http://x#b"}],"links":[{"kind":"http://x#c","target":"/b/1"}]}"#,
    );
    let kinds: Vec<_> = draft.items.iter().map(|item| item.categories[0].id.term()).collect();
    assert_eq!(kinds, ["a", "b", "c"]);
    assert_eq!(json(r#"{"resources":[]}"#), Draft::default());
    assert_eq!(json("{}"), Draft::default());
    assert_eq!(json(r#"{"links":[{"kind":"http://x#c"}]}"#).items.len(), 1);
}

#[test]
fn json14_an_invocation_names_its_action() {
    let item = item(r#"{"action":"http://x/action#stop","attributes":{"method":"graceful"}}"#);
    assert_eq!(
        (&item.categories[0].id, item.categories[0].class),
        (&id("http://x/action#stop"), Some(Class::Action))
    );
    assert_eq!(attributes(&item), [("method", "graceful".into())]);
    assert!(json(r#"{"action":"http://x/action#stop","attributes":{}}"#).items[0].attributes.is_empty()); // Q-06
    // A parameter may be called as it likes: nothing is flattened here.
    let nested = json(r#"{"action":"http://x/action#stop","attributes":{"occi":{"a":1}}}"#);
    assert_eq!(
        nested.items[0].attributes.get("occi"),
        Some(&Value::Hash([("a".into(), Value::Integer(1))].into()))
    );
}

#[test]
fn q05_an_update_may_hold_a_mixin_alone() {
    let item = item(r#"{"mixins":["http://x#large"]}"#);
    assert_eq!(
        (&item.categories[0].id, item.categories[0].class),
        (&id("http://x#large"), Some(Class::Mixin))
    );
}

#[test]
fn a_tag_is_given_bare_or_in_a_list() {
    // H11-07, HTTP-20
    let tag = r#"{"term":"my_stuff","scheme":"http://example.com/occi/my_stuff#","location":"/my_stuff/","depends":["http://x#base"],"applies":["http://x#k"]}"#;
    let bare = item(tag).categories.remove(0);
    assert_eq!(bare.location.as_deref(), Some("/my_stuff/"));
    assert_eq!((&*bare.related, &*bare.applies), (&[id("http://x#base")][..], &[id("http://x#k")][..]));
    assert!(!bare.has_content);
    let listed = item(&format!(r#"{{"mixins":[{tag},{tag}]}}"#)).categories;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].class, Some(Class::Mixin));
    let full = r#"{"kinds":[{"term":"k","scheme":"http://x#","title":"K","parent":"http://x#p","attributes":{"a":{"mutable":true}},"actions":["http://x#act"],"location":"/k/"}],"actions":[{"term":"act","scheme":"http://x#"}]}"#;
    let [kind, action] = &*item(full).categories else { panic!("two categories") };
    assert_eq!((kind.class, kind.title.as_deref(), kind.has_content), (Some(Class::Kind), Some("K"), true));
    assert_eq!(action.class, Some(Class::Action));
}

#[test]
fn q04_older_drafts_are_understood() {
    let draft = json(
        r#"{"resources":[{"kind":"http://x#k","mixins":[],"attributes":{"occi":{"core":{"id":"u"},"k":{"size":2}}},"id":"u"}],
            "links":[{"kind":"http://x#l","source":"/k/1","target":"/k/2","self":"/l/1","rel":"http://x#k"}]}"#,
    );
    let [resource, link] = &*draft.items else { panic!("{draft:?}") };
    assert_eq!(attributes(resource), [("occi.core.id", "u".into()), ("occi.k.size", Value::Integer(2))]);
    assert_eq!(
        attributes(link),
        [
            ("occi.core.source", "/k/1".into()),
            ("occi.core.target", "/k/2".into()),
            ("occi.core.target.kind", "http://x#k".into()),
        ]
    );
    assert_eq!(link.location.as_deref(), Some("/l/1"));
}

#[test]
fn q54_an_entity_may_say_its_location() {
    assert_eq!(item(r#"{"kind":"http://x#k","location":"/k/1"}"#).location.as_deref(), Some("/k/1"));
}

#[test]
fn q67_entities_are_named_in_three_ways() {
    let locations = ["/k/1", "http://h/k/2"].map(String::from).to_vec();
    let named = Draft { items: Vec::new(), locations: locations.clone() };
    assert_eq!(json(r#"["/k/1","http://h/k/2"]"#), named);
    assert_eq!(json(r#"{"locations":["/k/1","http://h/k/2"]}"#), named);
    let with_mixin = json(r#"{"term":"t","scheme":"http://x#","locations":["/k/1","http://h/k/2"]}"#);
    assert_eq!((with_mixin.items.len(), with_mixin.locations), (1, locations));
    assert_eq!(json(r#"{"resources":[{"kind":"http://x#k","id":"u"}]}"#).items.len(), 1);
}

#[test]
fn a_refusal_says_where_and_what_is_right() {
    for (body, says) in [
        ("{", "line 1, column 1: EOF while parsing an object"),
        ("{}\n x", "line 2, column 2: trailing characters"),
        ("{\"a\":\n\"\\S\"}", "line 2, column 3: invalid escape"),
        (
            r#"{"title":null}"#,
            "line 1, column 13: invalid type: null, expected a string, a number, a boolean, an array or an object (leave a member out instead of `null`)",
        ),
        (r#"{"title":"a","title":"b"}"#, "line 1, column 20: `title` is given twice in one object"),
        (r#"{"attributes":{"a":1e999}}"#, "line 1, column 24: number out of range"),
        ("\"x\"", "the JSON document: expected an object, found a string"),
        (
            r#"{"titel":"x"}"#,
            "JSON at /titel: unknown member (did you mean `title`?). The form is: {\"kind\"",
        ),
        (r#"{"resource":[]}"#, "JSON at /resource: unknown member (did you mean `resources`?)"),
        (
            r#"{"resources":[{"kind":"http://x#k","atributes":{}}]}"#,
            "JSON at /resources/0/atributes: unknown member (did you mean `attributes`?)",
        ),
        (
            r#"{"resources":[{"kind":"http://x#k"},"/k/1"]}"#,
            "JSON at /resources/1: expected an object, found a string",
        ),
        (r#"{"resources":{}}"#, "JSON at /resources: expected an array, found an object"),
        (r#"{"kind":"compute"}"#, "JSON at /kind: type identifier `compute`: write it as scheme and term"),
        (r#"{"kind":7}"#, "JSON at /kind: expected a string, found an integer"),
        (
            r#"{"attributes":{"a/~b":1}}"#,
            "JSON at /attributes/a~1~0b: attribute name `a/~b`: must consist of letters",
        ),
        (r#"{"attributes":[]}"#, "JSON at /attributes: expected an object, found an array"),
        (
            r#"{"id":"a","attributes":{"occi.core.id":"b"}}"#,
            "JSON at /id: the attribute `occi.core.id` has another value",
        ),
        (r#"{"attributes":{"occi.a":1,"occi":{"a":2}}}"#, "JSON at /attributes: `occi.a` has two values"),
        (
            r#"{"target":{"kind":"http://x#k"}}"#,
            "JSON at /target: an end has a location. The form is: {\"location\"",
        ),
        (r#"{"target":{"uri":"/x"}}"#, "JSON at /target/uri: unknown member (known are `location`, `kind`"),
        (r#"{"links":[{"links":[{"kind":1}]}]}"#, "JSON at /links/0/links/0/kind: expected a string"),
        (r#"{"term":"t"}"#, "the JSON document: a category has a term and a scheme"),
        (r#"{"depends":[]}"#, "the JSON document: a category has a term and a scheme"),
        (r#"{"mixins":[{"term":"t","scheme":"x"}]}"#, "JSON at /mixins/0: scheme `x`: must end in `#`"),
        (r#"{"action":"http://x#a","kind":"http://x#k"}"#, "JSON at /kind: unknown member"),
        (r#"["/a",1]"#, "JSON at /1: expected a string, found an integer"),
    ] {
        let refusal = refused(body);
        assert!(refusal.starts_with(says), "{body}: {refusal}");
    }
}

#[test]
fn a_request_is_bounded_in_depth_and_number() {
    let nested =
        |depth: usize| format!(r#"{{"attributes":{{"a":{}{}}}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(json(&nested(crate::MAX_DEPTH - 2)).items.len(), 1);
    assert!(refused(&nested(crate::MAX_DEPTH - 1)).contains("nested deeper than 32 arrays and objects"));
    assert!(refused(&nested(100_000)).contains("nested deeper"));
    let many = |number: usize| format!(r#"["/a"{}]"#, r#","/a""#.repeat(number - 1));
    assert_eq!(json(&many(crate::MAX_ITEMS)).locations.len(), crate::MAX_ITEMS);
    assert!(
        refused(&many(crate::MAX_ITEMS + 1)).starts_with("JSON at /10000: one request names at most 10000")
    );
    let members = |number| (0..number).map(|name| format!(r#""a{name}":1"#)).collect::<Vec<_>>().join(",");
    let attributes = |number| format!(r#"{{"attributes":{{{}}}}}"#, members(number));
    assert_eq!(item(&attributes(crate::MAX_ITEMS)).attributes.len(), crate::MAX_ITEMS);
    let objects = |count| format!(r#"{{"attributes":{{"a":[{}{{}}]}}}}"#, "{},".repeat(count));
    assert_eq!(json(&objects(crate::limit::MAX_PARTS - 5)).items.len(), 1);
    assert!(refused(&objects(crate::limit::MAX_PARTS - 4)).contains("more than 50000 objects and members"));
    assert!(refused(&attributes(crate::MAX_ITEMS + 1)).contains("more than 10000 members in one object"));
    // A long nest with many leaves: its names would be far longer than the body.
    let leaves = (0..1000).map(|leaf| format!(r#""{leaf}":1"#)).collect::<Vec<_>>().join(",");
    let nest = format!(r#"{{"attributes":{{"occi":{{"{}":{{{leaves}}}}}}}}}"#, "x".repeat(300));
    assert!(refused(&nest).contains("more than 255 characters"));
}
