//! The manifest as its author writes it: names and shapes, nothing checked. Every key may be missing here, so that
//! what is missing is reported with all the other faults.
//!
//! What the comments say of the keys is the reference for authors, in `docs/extensions.md` (see `reference.rs`).

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct ManifestForm {
    /// Who it is.
    pub(super) extension: ExtensionForm,
    /// What the code imports, by name: a table for each. Nothing else is there for it, and what the operator does not grant
    /// is refused. Some have keys of their own, with lists of texts.
    pub(super) capabilities: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// How much one call may use. What is left out is the host's own limit, and none is ever more than that.
    pub(super) limits: LimitsForm,
    /// A Kind: `[[kind]]`, as often as need be.
    pub(super) kind: Vec<KindForm>,
    /// A Mixin: `[[mixin]]`, as often as need be.
    pub(super) mixin: Vec<MixinForm>,
    /// Mixins for what a capability has on offer, one for each thing, as things come and go: `[[offer]]`, as often as need be.
    pub(super) offer: Vec<OfferForm>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct OfferForm {
    /// Required: the capability, such as `"images"`; one that `[capabilities]` asks for.
    pub(super) of: Option<String>,
    /// For which use the things are, where the capability has them for several: with `images` those for volumes, by `"volume"`. Left
    /// out: for the usual one.
    #[serde(rename = "use")]
    pub(super) purpose: Option<String>,
    /// Required: the scheme of the Mixins, a URI that ends in `#`; the term of each is the thing's name. Nothing else is named
    /// in it.
    pub(super) scheme: Option<String>,
    /// Required: the path above those of their collections, such as `"/mixin/os_tpl/"`.
    pub(super) location: Option<String>,
    /// The type identifiers of Mixins that come along with each.
    pub(super) depends: Vec<String>,
    /// The type identifiers of the Kinds to whose entities each can be added; left out: to those of all.
    pub(super) applies: Vec<String>,
    /// Attributes, of type `number`, whose default is what the capability tells of the thing, by its word for that: with `images`
    /// for volumes `"size-gib"`.
    pub(super) defaults: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExtensionForm {
    /// Required: its name, of a-z, 0-9 and -, at most 63 characters. Another file with that name is another version of it.
    pub(super) name: Option<String>,
    /// Required: its own version, by Semantic Versioning 2.0.
    pub(super) version: Option<String>,
    /// Who made it, such as a domain. The schemes in which it names anything are this publisher's alone on a server.
    pub(super) publisher: Option<String>,
    /// The profiles of OCCI that it implements, each by the product token that the server's answers name in their header
    /// `Server`, such as `"OCCI-CRTP/1.1"`.
    pub(super) profiles: Vec<String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LimitsForm {
    /// Memory, such as `"16 MiB"`.
    pub(super) memory: Option<String>,
    /// Milliseconds of computing.
    pub(super) deadline_ms: Option<u64>,
    /// Milliseconds on the clock, with what the host does for the call.
    pub(super) timeout_ms: Option<u64>,
    /// Calls at once.
    pub(super) concurrency: Option<usize>,
    /// How often the code may call the host in one call.
    pub(super) host_calls: Option<u64>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct KindForm {
    /// Required: its term, such as `"lamp"`.
    pub(super) term: Option<String>,
    /// Required: its scheme, a URI that ends in `#`. With the term it is the type identifier.
    pub(super) scheme: Option<String>,
    /// For people.
    pub(super) title: Option<String>,
    /// Required: the type identifier of the Kind that it extends, such as `"http://schemas.ogf.org/occi/core#resource"` or,
    /// for a link, `"http://schemas.ogf.org/occi/core#link"`.
    pub(super) parent: Option<String>,
    /// The path of its collection, such as `"/lamp/"`. Left out where it has no entities of its own.
    pub(super) location: Option<String>,
    /// That its entities have a console, which the host serves at their paths with `/console` behind: the type identifier that
    /// links name it by, such as `"http://example.com/occi/lamp#console"`. The extension asks for a capability whose things have
    /// consoles, such as `machines`.
    pub(super) console: Option<String>,
    /// The states that its entities go through.
    pub(super) states: Option<StatesForm>,
    /// The attributes that it adds to its parent's, by their names.
    pub(super) attributes: BTreeMap<String, AttributeForm>,
    /// An action: `[[kind.action]]`, as often as need be.
    pub(super) action: Vec<ActionForm>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct StatesForm {
    /// Required: the attribute that holds the state; declared among the attributes, of type `string`, and not mutable.
    pub(super) attribute: Option<String>,
    /// The attribute that says why the entity is in its state, declared likewise.
    pub(super) message: Option<String>,
    /// Required: all states.
    pub(super) values: Vec<String>,
    /// Required: the one in which an entity begins.
    pub(super) initial: Option<String>,
    /// States beside those that are there for clients of an older OCCI alone, by its version: `"1.1" = ["degraded"]`. They are left
    /// out where the server's configuration does not say `compatibility = "1.1"`; an `enum` of the attribute need not name them.
    pub(super) compatibility: BTreeMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct MixinForm {
    /// Required: its term.
    pub(super) term: Option<String>,
    /// Required: its scheme, a URI that ends in `#`.
    pub(super) scheme: Option<String>,
    /// For people.
    pub(super) title: Option<String>,
    /// Required: the path of its collection.
    pub(super) location: Option<String>,
    /// The type identifiers of Mixins that come along with it.
    pub(super) depends: Vec<String>,
    /// The type identifiers of the Kinds to whose entities it can be added; left out: to those of all.
    pub(super) applies: Vec<String>,
    /// Whether an entity has at most one of the Mixins that depend on this one.
    pub(super) exclusive: bool,
    /// Its attributes, by their names.
    pub(super) attributes: BTreeMap<String, AttributeForm>,
    /// An action: `[[mixin.action]]`, as often as need be.
    pub(super) action: Vec<ActionForm>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct ActionForm {
    /// Required: its term, by which it is invoked: `?action=TERM`.
    pub(super) term: Option<String>,
    /// Required: its scheme, a URI that ends in `#`.
    pub(super) scheme: Option<String>,
    /// For people.
    pub(super) title: Option<String>,
    /// The states in which it is offered and may be invoked; left out: all of them.
    pub(super) from: Option<Vec<String>>,
    /// That it is there for clients of an older OCCI alone: `"1.1"`. It is left out where the server's configuration does not
    /// say `compatibility = "1.1"`.
    pub(super) compatibility: Option<String>,
    /// Its parameters, by their names.
    pub(super) attributes: BTreeMap<String, AttributeForm>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AttributeForm {
    /// Required: `string`, `integer`, `number`, `boolean`, `array` or `object`.
    #[serde(rename = "type")]
    pub(super) value_type: Option<String>,
    /// Whether clients may set it; without that it is the extension's own.
    pub(super) mutable: bool,
    /// Whether clients must set it.
    pub(super) required: bool,
    /// What it is where nobody sets it.
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>"))]
    pub(super) default: Option<toml::Value>,
    /// The least number that is allowed.
    pub(super) minimum: Option<f64>,
    /// The greatest.
    pub(super) maximum: Option<f64>,
    /// All values that are allowed.
    #[serde(rename = "enum")]
    #[cfg_attr(test, schemars(with = "Option<Vec<serde_json::Value>>"))]
    pub(super) choices: Option<Vec<toml::Value>>,
    /// A regular expression that the whole text matches.
    pub(super) pattern: Option<String>,
    /// The most characters that the text has.
    pub(super) max_length: Option<usize>,
    /// For people.
    pub(super) description: Option<String>,
    /// Of a parameter alone: the attribute of the entity that it becomes. What a tenant may have of that at most is asked before
    /// the action is begun.
    pub(super) becomes: Option<String>,
    /// Not of a parameter: that it is there for clients of an older OCCI alone, as with actions.
    pub(super) compatibility: Option<String>,
}
