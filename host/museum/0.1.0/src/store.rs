//! What the host keeps: entities, key-value data and files.

use crate::Report;
use crate::bindings::occi::extension::entities::{self, Listing};
use crate::bindings::occi::extension::folder;
use crate::bindings::occi::extension::types::{Entity, Fault, Value};
use crate::bindings::wasi::keyvalue::store;

pub(crate) fn tour(subject: &Entity, report: &mut Report) -> Result<(), Fault> {
    report.say("entity.id", subject.id().len());
    report.say("entity.location", subject.location());
    report.say("entity.kind", subject.kind());
    report.say("entity.mixins", subject.mixins().join(" "));
    report.say("entity.state", subject.state().unwrap_or_default());
    report.say("entity.ends", subject.source().is_some() || subject.target().is_some());
    for attribute in subject.attributes() {
        report.say(&attribute.name, shown(&attribute.value));
    }
    others(subject, report)?;
    data(report).map_err(|error| Fault {
        code: "failed".into(),
        message: format!("key-value data: {error:?}"),
        attribute: None,
    })?;
    files(report)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("text {text}"),
        Value::Integer(number) => format!("integer {number}"),
        Value::Number(number) => format!("number {number}"),
        Value::Boolean(value) => format!("boolean {value}"),
        Value::Structured(json) => format!("structured {json}"),
    }
}

fn others(subject: &Entity, report: &mut Report) -> Result<(), Fault> {
    let found = entities::find(&subject.location())?;
    report.say("entities.find", found.location() == subject.location());
    let mut members = 0;
    let listing = Listing::members(&subject.kind())?;
    while let Some(page) = listing.next()? {
        members += page.len();
    }
    report.say("listing.members", members);
    for (what, links) in [
        ("listing.links-from", Listing::links_from(subject)?),
        ("listing.links-to", Listing::links_to(subject)?),
    ] {
        let first: Vec<_> = links.next()?.unwrap_or_default().iter().map(Entity::kind).collect();
        report.say(what, first.join(" "));
    }
    Ok(())
}

fn data(report: &mut Report) -> Result<(), store::Error> {
    let bucket = store::open("shelf")?;
    bucket.set("k", b"v")?;
    report.say("bucket.get", String::from_utf8_lossy(&bucket.get("k")?.unwrap_or_default()));
    report.say("bucket.exists", bucket.exists("other")?);
    report.say("bucket.list-keys", bucket.list_keys(None)?.keys.join(" "));
    bucket.delete("k")?;
    report.say("bucket.delete", bucket.exists("k")?);
    Ok(())
}

fn files(report: &mut Report) -> Result<(), Fault> {
    folder::write("a", b"content")?;
    report.say("folder.read", String::from_utf8_lossy(&folder::read("a")?.unwrap_or_default()));
    report.say("folder.names", folder::names(None)?.join(" "));
    folder::remove("a")?;
    report.say("folder.remove", folder::read("a")?.is_none());
    _ = report.answer("folder.write", folder::write("../a", b""));
    Ok(())
}
