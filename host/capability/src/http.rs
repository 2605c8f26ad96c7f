//! The capability `http`: `wasi:http/outgoing-handler`, requests to servers elsewhere.
//!
//! The operator says by name which servers an extension may ask ([`HttpGrant`]), and nothing else is reached: the host
//! resolves the name itself, and connects to an address that it has looked at ([`address`]). A redirect is an answer like
//! any other; whoever follows it asks again, and is checked again. Secrets stay with the host, which puts them into the
//! headers that name them ([`secret`]).

mod address;
mod connection;
mod grant;
mod origin;
mod secret;
mod stand_in;

use occi_extension::{CallState, Capability};
use stand_in::StandingIn;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::component::Linker;
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
};

pub use grant::HttpGrant;
pub use origin::Origin;
pub use stand_in::{HttpStandIn, StandIn};

/// Requests to servers elsewhere.
#[derive(Debug)]
pub struct Http;

/// What each extension may reach, by its name; one that is not named reaches nothing.
pub type HttpGrants = BTreeMap<String, Arc<HttpGrant>>;

impl Capability for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["wasi:http/outgoing-handler@0.2.12", "wasi:http/types@0.2.12"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        outgoing_handler::add_to_linker::<_, WasiHttp>(linker, outgoing)?;
        types::add_to_linker::<_, WasiHttp>(linker, &(&LinkOptions::default()).into(), outgoing)
    }

    fn functions(&self) -> &'static [&'static str] {
        &["handle"]
    }

    fn has_outside_effects(&self) -> bool {
        true
    }
}

/// How many requests one call may make.
const REQUESTS: u32 = 16;

/// One call's requests.
struct Outgoing {
    context: WasiHttpCtx,
    gate: Gate,
}

/// What each request goes through.
struct Gate {
    extension: Arc<str>,
    grant: Option<Arc<HttpGrant>>,
    stand_in: Option<StandingIn>,
    requests_left: u32,
}

fn outgoing(state: &mut CallState) -> WasiHttpCtxView<'_> {
    let (outgoing, table) = state.kept(Outgoing::begin);
    WasiHttpCtxView { ctx: &mut outgoing.context, hooks: &mut outgoing.gate, table }
}

impl Outgoing {
    fn begin(state: &CallState) -> Self {
        let extension = Arc::clone(&state.call().extension);
        // Neither in a trial, nor where the host was put together without.
        let grants = state.lent::<HttpGrants>().ok();
        let grant = grants.and_then(|grants| grants.get(&*extension).cloned());
        let stand_in = StandingIn::of(state);
        let gate = Gate { extension, grant, stand_in, requests_left: REQUESTS };
        Self { context: WasiHttpCtx::new(), gate }
    }
}

impl Gate {
    /// The one way out: whether the operator lets this extension ask that server, once more in this call.
    fn admit(&mut self, uri: &http::Uri) -> Result<Arc<HttpGrant>, Error> {
        self.requests_left = self.requests_left.checked_sub(1).ok_or(Error::ConnectionLimitReached)?;
        let extension = &*self.extension;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            tracing::warn!(extension, "its URL has a user in it, which is for a header to say");
            return Err(Error::HttpRequestDenied);
        }
        let granted = self.grant.as_ref().filter(|grant| grant.allows(uri));
        let Some(grant) = granted else {
            let origin = Origin::shown(uri);
            tracing::warn!(
                extension,
                "may not ask {origin}; to let it, add \"{origin}\" to `allow` below [http.{extension}] in the configuration"
            );
            return Err(Error::HttpRequestDenied);
        };
        Ok(Arc::clone(grant))
    }
}

type Answer = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        if let Some(stand_in) = self.stand_in.clone() {
            return Box::new(stand_in.answer(request));
        }
        let admitted = self.admit(request.uri());
        let extension = Arc::clone(&self.extension);
        Box::new(async move {
            connection::send(&extension, &*admitted?, request, options.unwrap_or_default()).await
        })
    }
}
