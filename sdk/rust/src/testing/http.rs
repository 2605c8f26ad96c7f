//! The fake of the capability `http`: servers that the test plays.

use super::world::world;
use crate::fault::{Fault, Result};
use crate::http::{Request, Response};

pub(crate) fn send(request: &Request) -> Result<Response> {
    // The test may look at its world while it plays the server.
    let answer = world(|world| {
        world.enter("http.send")?;
        world.requests.push(request.clone());
        world.server.ok_or_else(|| Fault::denied("the operator does not let the extension ask that server"))
    })?;
    answer(request)
}
