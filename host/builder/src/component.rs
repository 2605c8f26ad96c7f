//! From a core module, or from nothing, to a component with its manifest inside: the one file that an extension is.

use anyhow::{Context, Error, Result};
use wasm_encoder::{Component, ComponentSection, CustomSection};
use wit_component::ComponentEncoder;

/// The custom section that holds the manifest's text.
const MANIFEST: &str = "occi:manifest";

/// A component from a core module that carries wit-bindgen's description of what it imports and exports.
pub(crate) fn from_module(module: &[u8], manifest: &str) -> Result<Vec<u8>> {
    let component = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .context("not a module that wit-bindgen made")?
        .encode()
        .map_err(explained)?;
    Ok(with_manifest(component, manifest))
}

/// The name under which a C library asks for what a server does not have.
const WASI: &str = "wasi_snapshot_preview1";

fn explained(error: Error) -> Error {
    // The encoder says it in words alone.
    let is_of_library = format!("{error:#}").contains(WASI);
    error.context(if is_of_library {
        "the code uses files, clocks, the environment or standard streams of its C library, which there are none of: leave that \
         out, or use what the SDK has for it"
    } else {
        "the module does not fit its description"
    })
}

/// A component without code: a manifest alone is a complete extension.
pub(crate) fn without_code(manifest: &str) -> Vec<u8> {
    with_manifest(Component::new().finish(), manifest)
}

fn with_manifest(mut component: Vec<u8>, manifest: &str) -> Vec<u8> {
    let section = CustomSection { name: MANIFEST.into(), data: manifest.as_bytes().into() };
    section.append_to_component(&mut component);
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_alone_is_a_component() {
        let component = without_code("name = \"a\"");
        assert_eq!(&component[..8], b"\0asm\x0d\0\x01\0", "a component's magic and version");
        let tail = [b"\x0docci:manifest".as_slice(), b"name = \"a\""].concat();
        assert!(component.ends_with(&tail));
        assert_eq!(component.len(), 8 + 2 + tail.len());
    }

    #[test]
    fn what_a_c_library_asks_for_is_explained() {
        let mut types = wasm_encoder::TypeSection::new();
        types.ty().function([], []);
        let mut imports = wasm_encoder::ImportSection::new();
        imports.import(WASI, "fd_close", wasm_encoder::EntityType::Function(0));
        let mut module = wasm_encoder::Module::new();
        module.section(&types).section(&imports);
        let refused = from_module(&module.finish(), "").expect_err("nobody serves it");
        assert!(refused.to_string().contains("leave that out"), "{refused:#}");
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(from_module(b"not wasm", "").is_err());
    }
}
