//! The manifest as its author writes it: names and shapes, nothing checked. Every key may be missing here, so that
//! what is missing is reported with all the other faults.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ManifestForm {
    pub(super) extension: ExtensionForm,
    #[allow(
        clippy::zero_sized_map_values,
        reason = "settings may come, and an unknown key is an error until then"
    )]
    pub(super) capabilities: BTreeMap<String, CapabilityForm>,
    pub(super) limits: LimitsForm,
    pub(super) kind: Vec<KindForm>,
    pub(super) mixin: Vec<MixinForm>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExtensionForm {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) publisher: Option<String>,
}

/// What is set for one capability: nothing yet.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CapabilityForm {}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LimitsForm {
    pub(super) memory: Option<String>,
    pub(super) deadline_ms: Option<u64>,
    pub(super) timeout_ms: Option<u64>,
    pub(super) concurrency: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KindForm {
    pub(super) term: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) title: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) location: Option<String>,
    pub(super) states: Option<StatesForm>,
    pub(super) attributes: BTreeMap<String, AttributeForm>,
    pub(super) action: Vec<ActionForm>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StatesForm {
    pub(super) attribute: Option<String>,
    pub(super) message: Option<String>,
    pub(super) values: Vec<String>,
    pub(super) initial: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MixinForm {
    pub(super) term: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) title: Option<String>,
    pub(super) location: Option<String>,
    pub(super) depends: Vec<String>,
    pub(super) applies: Vec<String>,
    pub(super) exclusive: bool,
    pub(super) attributes: BTreeMap<String, AttributeForm>,
    pub(super) action: Vec<ActionForm>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ActionForm {
    pub(super) term: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) title: Option<String>,
    pub(super) from: Option<Vec<String>>,
    pub(super) attributes: BTreeMap<String, AttributeForm>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AttributeForm {
    #[serde(rename = "type")]
    pub(super) value_type: Option<String>,
    pub(super) mutable: bool,
    pub(super) required: bool,
    pub(super) default: Option<toml::Value>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    #[serde(rename = "enum")]
    pub(super) choices: Option<Vec<toml::Value>>,
    pub(super) pattern: Option<String>,
    pub(super) max_length: Option<usize>,
    pub(super) description: Option<String>,
}
