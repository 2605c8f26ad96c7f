//! What a component is, read from its bytes without running or compiling any of it: its manifest, and what it
//! imports and exports.

use crate::manifest::SECTION;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload, ValidPayload, Validator};

/// The outside of a component.
pub(crate) struct Shape<'b> {
    /// The manifest's text, as it stands in the custom section.
    pub(crate) manifest: &'b [u8],
    pub(crate) imports: Vec<Import>,
    /// The names of what it exports.
    pub(crate) exports: Vec<String>,
    /// Whether there is anything to run.
    pub(crate) has_code: bool,
}

/// One import.
pub(crate) struct Import {
    pub(crate) name: String,
    /// Whether it is more than types: an interface may be there only because another one uses its types.
    pub(crate) has_functions: bool,
}

/// Why the bytes are no extension.
#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    /// Not WebAssembly, or not as the specification has it.
    #[error("is no valid WebAssembly component: {0}")]
    Invalid(BinaryReaderError),
    /// A module, not a component.
    #[error("is a core module; make it a component with `wit-component` (`occi ext build` does)")]
    CoreModule,
    /// No manifest.
    #[error("has no manifest; put one into its custom section `{SECTION}` (the SDK does)")]
    NoManifest,
    /// More manifests than one.
    #[error("has more than one custom section `{SECTION}`; leave one manifest in it")]
    SeveralManifests,
}

// Not as its source: the message has it already.
impl From<BinaryReaderError> for ShapeError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Invalid(error)
    }
}

/// Reads the component. The bodies of its functions are not looked at: the compiler will, if they are new to it.
pub(crate) fn read(bytes: &[u8]) -> Result<Shape<'_>, ShapeError> {
    let mut validator = Validator::new();
    let mut depth = 0_usize;
    let (mut manifests, mut imports, mut exports) = (Vec::new(), Vec::new(), Vec::new());
    let (mut types, mut has_code) = (None, false);
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(ShapeError::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                has_code = true;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == SECTION => {
                manifests.push(section.data());
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section.clone() {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section.clone() {
                    exports.push(export?.name.name.to_owned());
                }
            }
            // What else it is made of does not show.
            _ => {}
        }
        if let ValidPayload::End(end) = validator.payload(&payload)? {
            types = Some(end);
        }
    }
    let types = types.as_ref().map(wasmparser::types::Types::as_ref);
    let has_functions = |name: &str| {
        let Some(types) = types else { return true };
        match types.component_item_for_import(name).map(|item| item.ty) {
            Some(ComponentEntityType::Instance(id)) => {
                let is_type = |ty: &ComponentEntityType| matches!(ty, ComponentEntityType::Type { .. });
                !types[id].exports.values().all(|item| is_type(&item.ty))
            }
            _ => true,
        }
    };
    let imports =
        imports.into_iter().map(|name| Import { has_functions: has_functions(&name), name }).collect();
    match manifests[..] {
        [] => Err(ShapeError::NoManifest),
        [manifest] => Ok(Shape { manifest, imports, exports, has_code }),
        [_, _, ..] => Err(ShapeError::SeveralManifests),
    }
}

/// Checks all of it, so that the compiler sees nothing that the specification does not allow.
pub(crate) fn validate(bytes: &[u8]) -> Result<(), ShapeError> {
    Validator::new().validate_all(bytes)?;
    Ok(())
}
