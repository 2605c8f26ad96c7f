//! What an extension says about itself, read from its bytes with nothing compiled or run.

use crate::digest::Digest;
use crate::error::LoadError;
use crate::manifest::Manifest;
use crate::shape;

/// An extension from outside.
#[derive(Debug, Clone)]
pub struct Outline {
    /// What it defines and asks for.
    pub manifest: Manifest,
    /// Of all its bytes.
    pub digest: Digest,
    /// In bytes.
    pub size: usize,
    /// The interfaces of which its code uses a function.
    pub imports: Vec<String>,
    /// The interfaces that the host may call; none where the manifest is all there is.
    pub exports: Vec<String>,
}

impl Outline {
    /// Reads a component with its manifest inside, or a manifest alone.
    pub fn read(bytes: &[u8]) -> Result<Self, LoadError> {
        let text = |manifest| std::str::from_utf8(manifest).map_err(|_| LoadError::NotText);
        let (manifest, imports, exports) = if is_wasm(bytes) {
            let shape = shape::read(bytes)?;
            let used = shape.imports.into_iter().filter(|import| import.has_functions);
            let imports = used.map(|import| import.name).collect();
            (Manifest::parse(text(shape.manifest)?)?, imports, shape.exports)
        } else {
            (Manifest::parse(text(bytes)?)?, Vec::new(), Vec::new())
        };
        Ok(Self { manifest, digest: Digest::of(bytes), size: bytes.len(), imports, exports })
    }
}

/// Whether bytes begin as those of WebAssembly do.
pub(crate) fn is_wasm(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}
