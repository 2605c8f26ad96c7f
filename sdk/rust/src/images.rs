//! Images, which the systems of machines begin as, and others for volumes: the capability `images`. A manifest that asks for it
//! can have a Mixin for each of them:
//!
//! ```toml
//! [capabilities.images]
//!
//! [[offer]]
//! of = "images"
//! scheme = "http://example.com/occi/image#"
//! location = "/mixin/image/"
//! ```
//!
//! The Mixin's term is the image's name, which [`Plan::image`](crate::machines::Plan::image) takes. An offer that says
//! `use = "volume"` is of the others, of which [`Volume::create_as`] takes the name; with `defaults = { "NAME" = "size-gib" }` the
//! Mixin has an attribute whose default is how large the volume is to be at least.

use crate::fault::Result;
use crate::machines::Machine;
use crate::outside::images as outside;
use crate::volumes::Volume;

/// Make an image of the disk that a machine boots from, as it is at one moment; it depends on the machine no more. The answer is
/// its name, which is made of the title. It is on offer when the operation is committed, and its Mixin is what the client is
/// answered.
pub fn make(of: &Machine, title: &str) -> Result<String> {
    outside::make(of.outside(), title)
}

/// Make an image of what is on a volume, as it is at one moment, also while a machine uses it; it depends on the volume no more. It
/// is one that volumes begin as. The answer is its name, as with [`make`].
pub fn make_of_volume(of: &Volume, title: &str) -> Result<String> {
    outside::make_of_volume(of.outside(), title)
}
