//! Images, which the systems of machines begin as: the capability `images`. A manifest that asks for it can have a Mixin for
//! each of them:
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
//! The Mixin's term is the image's name, which [`Plan::image`](crate::machines::Plan::image) takes.

use crate::fault::Result;
use crate::machines::Machine;
use crate::outside::images as outside;

/// Make an image of the disk that a machine boots from, as it is at one moment; it depends on the machine no more. The answer is
/// its name, which is made of the title. It is on offer when the operation is committed, and its Mixin is what the client is
/// answered.
pub fn make(of: &Machine, title: &str) -> Result<String> {
    outside::make(of.outside(), title)
}
