//! What the fuzz target of whole requests is made of: a server in memory, requests from bytes, and what must hold of
//! every answer.

pub mod check;
pub mod request;
pub mod server;
