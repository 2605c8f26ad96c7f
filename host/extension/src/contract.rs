//! Whether a component and its manifest say the same, and whether the host can and may lend what they ask for.

use crate::capability::Capability;
use crate::manifest::{Manifest, fault::nearest};
use crate::shape::Shape;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The package of the contract, and the version of it that this host speaks.
pub(crate) const PACKAGE: &str = "occi:extension";
pub(crate) const VERSION: &str = "0.1.0";

/// The name of an interface of the contract.
pub(crate) fn interface(name: &str) -> String {
    format!("{PACKAGE}/{name}@{VERSION}")
}

/// What the operator allows extensions to have.
#[derive(Debug, Clone)]
pub struct Grants {
    /// The names of the capabilities.
    pub capabilities: BTreeSet<String>,
    /// What the operator changes to allow more, such as `extensions.capabilities`; it stands in messages.
    pub key: String,
    /// The names of the extensions that may have what gives power over others
    /// ([`Capability::is_for_administrators`]).
    pub administrators: BTreeSet<String>,
}

/// What a component has been found to need and to offer.
#[derive(Default)]
pub(crate) struct Agreement {
    /// The capabilities to link: those asked for, and those that lend a type to them.
    pub(crate) link: Vec<Arc<dyn Capability>>,
    /// Those asked for.
    pub(crate) uses: Vec<Arc<dyn Capability>>,
    /// The interfaces of the contract that it exports.
    exports: Vec<&'static str>,
}

impl Agreement {
    /// Whether it exports that interface of the contract.
    pub(crate) fn exports(&self, name: &str) -> bool {
        self.exports.contains(&name)
    }
}

/// What a component may export.
const EXPORTS: [&str; 4] = ["lifecycle", "actions", "observe", "migrate"];

/// Compares the two; on failure, everything that is wrong.
pub(crate) fn agree(
    shape: &Shape<'_>,
    manifest: &Manifest,
    available: &[Arc<dyn Capability>],
    grants: &Grants,
) -> Result<Agreement, Vec<String>> {
    let mut faults = Vec::new();
    let mut agreement = Agreement::default();
    asked(manifest, available, grants, &mut faults);
    consoles(manifest, available, &mut faults);
    imports(shape, manifest, available, &mut agreement, &mut faults);
    exports(shape, manifest, &mut agreement, &mut faults);
    if faults.is_empty() { Ok(agreement) } else { Err(faults) }
}

/// Checks a manifest that has no code.
pub(crate) fn agree_without_code(manifest: &Manifest) -> Result<(), Vec<String>> {
    let mut faults = Vec::new();
    if let Some(action) = manifest.actions.first() {
        faults.push(format!("the manifest defines the action {}, but there is no code to do it", action.id));
    }
    if let Some(kind) = manifest.kinds.iter().find(|kind| kind.console.is_some()) {
        faults.push(format!(
            "the Kind {} has a console, but there is no code to make what is behind it; take `console` away",
            kind.id
        ));
    }
    if let Some(capability) = manifest.capabilities.first() {
        faults.push(format!(
            "the manifest asks for [capabilities.{capability}], but there is no code to use it"
        ));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn asked(manifest: &Manifest, available: &[Arc<dyn Capability>], grants: &Grants, faults: &mut Vec<String>) {
    let lendable = || available.iter().filter(|capability| capability.needs_grant());
    for name in &manifest.capabilities {
        let Some(capability) = lendable().find(|capability| capability.name() == name) else {
            let known = lendable().map(|capability| capability.name());
            let hint = match nearest(name, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has {}", known.collect::<Vec<_>>().join(", ")),
            };
            faults.push(format!(
                "the manifest asks for [capabilities.{name}], which this host does not have; {hint}"
            ));
            continue;
        };
        if !grants.capabilities.contains(name) {
            faults.push(format!(
                "the manifest asks for [capabilities.{name}], which the operator does not grant; to grant it, add \
                 \"{name}\" to `{}` in the configuration",
                grants.key
            ));
        } else if capability.is_for_administrators() && !grants.administrators.contains(&*manifest.name) {
            faults.push(format!(
                "the manifest asks for [capabilities.{name}], which gives power over the whole server; to give it to this \
                 extension, add \"{}\" to `administrators` in the configuration",
                manifest.name
            ));
        }
        faults.extend(manifest.own_keys.unknown(name, capability.keys()));
        faults.extend(capability.objections(manifest));
    }
}

/// A Kind with a console is of an extension that makes things which have one.
fn consoles(manifest: &Manifest, available: &[Arc<dyn Capability>], faults: &mut Vec<String>) {
    let mut having =
        available.iter().filter(|capability| capability.has_consoles()).map(|capability| capability.name());
    if having.clone().any(|name| manifest.capabilities.contains(name)) {
        return;
    }
    let remedy = match having.next() {
        Some(name) => {
            format!("add [capabilities.{name}], whose things have consoles, or take `console` away")
        }
        None => "nothing that this host lends has consoles; take `console` away".into(),
    };
    let kinds = manifest.kinds.iter().filter(|kind| kind.console.is_some());
    faults.extend(kinds.map(|kind| format!("the Kind {} has a console: {remedy}", kind.id)));
}

fn imports(
    shape: &Shape<'_>,
    manifest: &Manifest,
    available: &[Arc<dyn Capability>],
    agreement: &mut Agreement,
    faults: &mut Vec<String>,
) {
    let mut used = BTreeSet::new();
    let mut linked = BTreeSet::new();
    for import in &shape.imports {
        let name = &import.name;
        if is(name, &interface("types")) {
            continue;
        }
        let Some(capability) = serving(name, available) else {
            faults.push(unserved(name, available));
            continue;
        };
        if linked.insert(capability.name()) {
            agreement.link.push(Arc::clone(capability));
        }
        if !import.has_functions || !capability.needs_grant() {
            continue;
        }
        if manifest.capabilities.contains(capability.name()) {
            used.insert(capability.name());
        } else {
            faults.push(format!(
                "the component imports {name}, but the manifest does not ask for it: add [capabilities.{}] to it",
                capability.name()
            ));
        }
    }
    for capability in available.iter().filter(|capability| manifest.capabilities.contains(capability.name()))
    {
        if used.contains(capability.name()) {
            agreement.uses.push(Arc::clone(capability));
        } else {
            faults.push(format!(
                "the manifest asks for [capabilities.{}], but the component imports no function of {}; take it away",
                capability.name(),
                capability.interfaces().join(", ")
            ));
        }
    }
}

/// The capability that serves what is imported by a name such as `wasi:config/store@0.2.0-rc.1`, if there is one.
pub fn serving<'c>(import: &str, available: &'c [Arc<dyn Capability>]) -> Option<&'c Arc<dyn Capability>> {
    available.iter().find(|capability| capability.interfaces().iter().any(|served| is(import, served)))
}

/// Why an import cannot be served.
fn unserved(name: &str, available: &[Arc<dyn Capability>]) -> String {
    let (path, version) = split(name);
    let types = interface("types");
    let served = available.iter().flat_map(|capability| capability.interfaces().iter().copied());
    let served = served.chain([types.as_str()]).find(|served| split(served).0 == path);
    if let (Some(served), Some(version)) = (served, version) {
        let (_, ours) = split(served);
        return format!(
            "the component imports {path} in version {version}; this host serves version {}: build it against that one",
            ours.unwrap_or("none")
        );
    }
    let hint = if name.starts_with("wasi:") {
        "a language's runtime may bring it along: build for wasm32-unknown-unknown, or with WASI stubbed"
    } else {
        "build it without that, or for a newer host"
    };
    format!("the component imports {name}, which this host does not serve; {hint}")
}

fn exports(shape: &Shape<'_>, manifest: &Manifest, agreement: &mut Agreement, faults: &mut Vec<String>) {
    for export in &shape.exports {
        let (path, version) = split(export);
        let Some(name) = path.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/')) else { continue };
        if !EXPORTS.contains(&name) {
            let hint = nearest(name, EXPORTS).map_or(String::new(), |near| format!("; did you mean {near}?"));
            faults.push(format!("the component exports {export}, which this host does not know{hint}"));
        } else if !is(export, &interface(name)) {
            faults.push(format!(
                "the component exports {path} in version {}; this host speaks version {VERSION}: build it against that one",
                version.unwrap_or("none")
            ));
        }
    }
    let has = |name: &str| {
        let interface = interface(name);
        shape.exports.iter().any(|export| is(export, &interface))
    };
    agreement.exports = EXPORTS.into_iter().filter(|name| has(name)).collect();

    if agreement.exports.is_empty() && faults.is_empty() {
        faults.push(format!(
            "the component exports nothing that the host could call ({PACKAGE}/lifecycle, actions, observe or migrate); export \
             one, or install the manifest alone, as a .toml file, if no code is needed"
        ));
    }
    match (manifest.actions.first(), agreement.exports("actions")) {
        (Some(action), false) => faults.push(format!(
            "the manifest defines the action {}, but the component does not export {}: export it, or take the action away",
            action.id,
            interface("actions")
        )),
        (None, true) => faults.push(format!(
            "the component exports {}, but the manifest defines no action: define one, or export less",
            interface("actions")
        )),
        (Some(_), true) | (None, false) => {}
    }
    let defines = !manifest.kinds.is_empty() || !manifest.mixins.is_empty();
    for &name in agreement.exports.iter().filter(|name| **name != "actions") {
        if !defines {
            faults.push(format!(
                "the component exports {}, but the manifest defines no Kind or Mixin: define one, or export less",
                interface(name)
            ));
        }
    }
}

/// Whether what has one name can be used as what has the other: the same interface in a compatible version.
fn is(name: &str, wanted: &str) -> bool {
    let ((path, version), (wanted_path, wanted_version)) = (split(name), split(wanted));
    path == wanted_path && version.map(compatible) == wanted_version.map(compatible)
}

/// The part of a version that must be equal: the first number that is not zero, with all before it; all of it where
/// it is a draft.
fn compatible(version: &str) -> &str {
    if version.contains('-') {
        return version;
    }
    let version = version.split('+').next().unwrap_or(version);
    let mut end = 0;
    for number in version.split('.') {
        end += number.len();
        if number != "0" {
            return &version[..end];
        }
        end += 1;
    }
    version
}

fn split(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(path, version)| (path, Some(version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_agree_in_what_may_not_change() {
        let same = ["a:b/c@0.1.0", "a:b/c@0.1.7", "a:b/c@0.1.7+build"];
        assert!(same.iter().all(|name| is(name, "a:b/c@0.1.0")));
        assert!(is("a:b/c@1.2.3", "a:b/c@1.9.0"));
        assert!(is("a:b/c@0.2.0-draft2", "a:b/c@0.2.0-draft2"));
        assert!(is("a:b/c", "a:b/c"));
        for (one, other) in [
            ("a:b/c@0.2.0", "a:b/c@0.1.0"),
            ("a:b/c@2.0.0", "a:b/c@1.0.0"),
            ("a:b/c@0.0.1", "a:b/c@0.0.2"),
            ("a:b/c@0.2.0", "a:b/c@0.2.0-draft2"),
            ("a:b/d@0.1.0", "a:b/c@0.1.0"),
            ("a:b/c", "a:b/c@0.1.0"),
        ] {
            assert!(!is(one, other), "{one} {other}");
        }
    }
}
