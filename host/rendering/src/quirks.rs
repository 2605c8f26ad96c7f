//! What is taken from clients though the standard does not say so, or says it twice. Each function is one tolerance,
//! named by its number in the list of quirks.
//!
//! Tolerances of layout have their place in the scanner of the text renderings instead: no space or several after
//! `;`, a trailing `;`, a parameter that is not quoted. A missing class is simply missing in the draft,
//! and a quoted number is taken by its declared type, which only the model knows.

use crate::MediaType;
use crate::limit::MAX_ITEMS;
use crate::media_type::without_parameters;
use occi_model::Value;
use std::collections::BTreeMap;

/// a client sends a list in Content-Type. The first type that we know decides.
pub(crate) fn first_known(content_type: &str) -> Option<MediaType> {
    let names = content_type.split(',').map(without_parameters).filter(|name| !name.is_empty());
    names.take(MAX_ITEMS).find_map(MediaType::named)
}

/// RFC 8259, section 8.1, which asks that this be done of JSON; editors that begin a file with the mark do so whatever
/// is in it.
pub(crate) fn without_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// a text value without quotes, as the 1.1 document's own example has it.
pub(crate) fn bare_text(token: &str) -> Value {
    Value::Text(token.into())
}

/// H11-27: 1.1's grammar allows several locations in one line. A comma may also belong to a URI; it separates where it
/// stands beside a space, where a URI follows that begins with its protocol, and between two paths.
pub(crate) fn locations(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end =
                rest.match_indices(',').find(|(comma, _)| separates(&rest[..*comma], &rest[comma + 1..]));
            let (location, after) = match end {
                Some((comma, _)) => (&rest[..comma], &rest[comma + 1..]),
                None => (rest, ""),
            };
            rest = after;
            let location = location.trim();
            if !location.is_empty() {
                return Some(location);
            }
        }
        None
    })
}

fn separates(before: &str, after: &str) -> bool {
    before.ends_with([' ', '\t'])
        || before.starts_with('/') && after.starts_with('/')
        || [" ", "\t", "http://", "https://"].iter().any(|start| after.starts_with(start))
}

/// older JSON drafts nested attributes by the dots of their names. What stands under the one name `occi` is such
/// a nest, since no attribute is called that; an object under any other name is the value of an attribute. Fails with
/// what is wrong.
pub(crate) fn flatten(attributes: BTreeMap<String, Value>) -> Result<BTreeMap<String, Value>, String> {
    const NEST: &str = "occi";
    let mut flat = attributes;
    match flat.remove(NEST) {
        Some(Value::Hash(nest)) => {
            let mut leaves = Vec::new();
            collect_leaves(&mut leaves, NEST, nest)?;
            // Nearly in order already.
            leaves.sort_by(|(one, _), (other, _)| one.cmp(other));
            let others = |name: &String| flat.get(name);
            let twice = leaves.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1);
            let both = leaves.iter().find(|(name, value)| others(name).is_some_and(|other| other != value));
            if let Some((name, _)) = twice.map(|pair| &pair[0]).or(both) {
                return Err(format!("`{name}` has two values, one of them nested; write flat names only"));
            }
            flat.append(&mut leaves.into_iter().collect());
        }
        Some(value) => {
            flat.insert(NEST.into(), value);
        }
        None => {}
    }
    Ok(flat)
}

/// Names longer than the model takes are refused here: a long nest with many leaves would make much of little.
const LONGEST: usize = 255;

fn collect_leaves(
    leaves: &mut Vec<(String, Value)>,
    prefix: &str,
    nest: BTreeMap<String, Value>,
) -> Result<(), String> {
    for (key, value) in nest {
        if prefix.len() + key.len() > LONGEST {
            return Err(format!("the names nested here join to one of more than {LONGEST} characters"));
        }
        let name = [prefix, ".", &key].concat();
        match value {
            Value::Hash(inner) => collect_leaves(leaves, &name, inner)?,
            value => leaves.push((name, value)),
        }
    }
    Ok(())
}

/// members beyond the standard's that say where an entity is.
pub(crate) const PLACES: [&str; 2] = ["self", "location"];

/// the member that holds the locations of entities to be associated, beside or without a mixin's own.
pub(crate) const LOCATIONS: &str = "locations";

/// an end of a link that is its location alone instead of an object.
pub(crate) fn plain_end(end: Value) -> Result<String, Value> {
    match end {
        Value::Text(location) => Ok(location),
        Value::Integer(_) | Value::Number(_) | Value::Boolean(_) | Value::List(_) | Value::Hash(_) => {
            Err(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q01_the_first_known_type_of_a_list_counts() {
        assert_eq!(first_known("text/plain,text/occi"), Some(MediaType::TextPlain));
        assert_eq!(first_known("image/png, text/occi; charset=utf-8"), Some(MediaType::TextOcci));
        assert_eq!(first_known("image/png"), None);
    }

    #[test]
    fn a_byte_order_mark_before_a_body_is_no_part_of_it() {
        let json = "\u{feff}{\"locations\": [\"/a/1\"]}";
        for (media_type, body) in
            [(MediaType::TextPlain, "\u{feff}X-OCCI-Location: /a/1"), (MediaType::Json, json)]
        {
            let draft = crate::parse(media_type, [], body.as_bytes()).unwrap();
            assert_eq!(draft.locations, ["/a/1"], "{media_type:?}");
        }
        assert_eq!(without_byte_order_mark(b"\xef\xbb"), b"\xef\xbb");
    }

    #[test]
    fn h11_27_a_comma_separates_locations_and_may_belong_to_one() {
        let split = |line| locations(line).collect::<Vec<_>>();
        assert_eq!(split("/a,/b, /c"), ["/a", "/b", "/c"]);
        assert_eq!(split("http://x/a,/b"), ["http://x/a,/b"]);
        assert_eq!(split("/a/1, /a/2 ,/a/3,\t/a/4, "), ["/a/1", "/a/2", "/a/3", "/a/4"]);
        assert_eq!(split("http://h/1,http://h/2,https://h/3"), ["http://h/1", "http://h/2", "https://h/3"]);
        assert_eq!(split("http://h/a,b"), ["http://h/a,b"]);
        assert_eq!(split("http://h/a,, http://h/b,"), ["http://h/a,", "http://h/b,"]);
        assert!(split(" , , ").is_empty());
    }

    #[test]
    fn q04_only_what_is_under_occi_is_a_nest() {
        let hash = |members: &[(&str, Value)]| -> BTreeMap<String, Value> {
            members.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()
        };
        let core = Value::Hash(hash(&[("id", "x".into())]));
        let labels = Value::Hash(hash(&[("a", "b".into())]));
        let nest = Value::Hash(hash(&[("core", core), ("flag", true.into())]));
        let flat = flatten(hash(&[("occi", nest.clone()), ("com.example.labels", labels.clone())])).unwrap();
        let expected =
            [("occi.core.id", "x".into()), ("occi.flag", true.into()), ("com.example.labels", labels)];
        assert_eq!(flat, hash(&expected));

        let twice = flatten(hash(&[("occi", nest.clone()), ("occi.core.id", "y".into())]));
        assert!(twice.unwrap_err().starts_with("`occi.core.id` has two values"));
        assert!(
            flatten(hash(&[("occi", nest), ("occi.core.id", "x".into())])).is_ok(),
            "the same value twice"
        );
        assert_eq!(flatten(hash(&[("occi", "x".into())])).unwrap(), hash(&[("occi", "x".into())]));
    }
}
