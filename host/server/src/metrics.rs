//! What the server shows of itself at `/metrics`, in the text format of Prometheus: its own figures, and those of whatever
//! else has some.

use crate::Host;
use crate::compression::compress;
use crate::failure::Failure;
use crate::respond;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use occi_model::Location;
use occi_operation::Refusal;
use occi_rendering::MediaType;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Where it is shown.
pub(crate) const PATH: &str = "/metrics";

/// Something else that has figures.
#[async_trait::async_trait]
pub trait Exposition: Send + Sync + 'static {
    /// Its families of figures in the text format of Prometheus, in some pieces. No family is in two of them, and none begins
    /// with `occi_http_`.
    async fn show(&self) -> Vec<Bytes>;
}

/// The figures of a server.
pub struct Metrics {
    registry: Registry,
    methods: Vec<OfMethod>,
    connections: IntGauge,
    others: Arc<dyn Exposition>,
}

/// What is counted of requests with one method, found once: a request waits for no look-up.
struct OfMethod {
    /// None for all methods that are not known here, of which clients could make up as many as they like.
    method: Option<Method>,
    by_class: [IntCounter; CLASSES.len()],
    duration: Histogram,
}

const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];

/// Of status codes. What comes before an answer is none.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// In seconds: a read takes a tenth of a millisecond, and the start of a machine some seconds.
const BUCKETS: [f64; 15] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

impl Metrics {
    /// Figures that begin now, and others that are shown beside them.
    ///
    /// # Errors
    /// None is expected: all names are given here.
    pub fn new(others: Arc<dyn Exposition>) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("occi_http_requests_total", "Requests that were answered."),
            &["method", "status"],
        )?;
        let durations = HistogramVec::new(
            HistogramOpts::new(
                "occi_http_request_duration_seconds",
                "From a request's head to that of its answer.",
            )
            .buckets(BUCKETS.into()),
            &["method"],
        )?;
        let connections = IntGauge::new("occi_http_connections", "Connections that are open.")?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        registry.register(Box::new(connections.clone()))?;
        let of_method = |method: Option<Method>| {
            let name = method.as_ref().map_or("other", Method::as_str);
            OfMethod {
                by_class: CLASSES.map(|class| requests.with_label_values(&[name, class])),
                duration: durations.with_label_values(&[name]),
                method,
            }
        };
        let methods = METHODS.into_iter().map(Some).chain([None]).map(of_method).collect();
        Ok(Self { registry, methods, connections, others })
    }

    /// Counts a request that was answered after so long.
    pub(crate) fn answered(&self, method: &Method, status: StatusCode, after: Duration) {
        let is_of = |of: &&OfMethod| of.method.as_ref().is_none_or(|known| known == method);
        let Some(of) = self.methods.iter().find(is_of) else { return };
        let class = usize::from(status.as_u16() / 100).checked_sub(2);
        if let Some(counter) = class.and_then(|class| of.by_class.get(class)) {
            counter.inc();
        }
        of.duration.observe(after.as_secs_f64());
    }

    /// Counts a connection until the answer is dropped.
    pub(crate) fn connected(self: &Arc<Self>) -> Connected {
        self.connections.inc();
        Connected(Arc::clone(self))
    }

    async fn show(&self) -> Vec<Bytes> {
        let own = TextEncoder::new().encode_to_string(&self.registry.gather());
        let own = own.unwrap_or_else(|error| {
            tracing::error!(%error, "the server's own figures cannot be shown");
            String::new()
        });
        let mut pieces = self.others.show().await;
        pieces.insert(0, own.into());
        pieces
    }
}

/// A connection that is open.
pub(crate) struct Connected(Arc<Metrics>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

/// Which figures a listener shows at `/metrics`.
#[derive(Clone, Default)]
pub(crate) enum Shown {
    /// None: it says that there is nothing.
    #[default]
    Nothing,
    /// They are counted here, and shown to whoever asks, or not.
    Counted { metrics: Arc<Metrics>, is_shown: bool },
    /// They are all that there is, and what is asked here does not count.
    Alone(Arc<Metrics>),
}

impl Shown {
    /// Where requests and connections count.
    pub(crate) fn counts(&self) -> Option<&Arc<Metrics>> {
        match self {
            Self::Counted { metrics, .. } => Some(metrics),
            Self::Nothing | Self::Alone(_) => None,
        }
    }

    /// Answers a request, which counts where requests do.
    pub(crate) async fn count(
        &self,
        method: Method,
        answer: impl Future<Output = Response<Body>>,
    ) -> Response<Body> {
        let Some(metrics) = self.counts() else { return answer.await };
        let began = Instant::now();
        let response = answer.await;
        metrics.answered(&method, response.status(), began.elapsed());
        response
    }

    fn to_be_seen(&self) -> Option<&Metrics> {
        match self {
            Self::Counted { metrics, is_shown: true } | Self::Alone(metrics) => Some(metrics),
            Self::Nothing | Self::Counted { is_shown: false, .. } => None,
        }
    }

    /// The answer to a request for this path, if that is none of OCCI's.
    pub(crate) async fn answer(&self, parts: &Parts) -> Option<Response<Body>> {
        let path = parts.uri.path();
        Some(match (path == PATH, self) {
            (true, _) => match self.to_be_seen() {
                Some(metrics) => match respond::refuse_change(&parts.method, PATH) {
                    Some(refusal) => refusal,
                    None => {
                        compress(&parts.headers, respond::metrics(Pieces::new(metrics.show().await))).await
                    }
                },
                None => nothing_at(parts),
            },
            (false, Self::Alone(_)) => nothing_at(parts),
            (false, _) => return None,
        })
    }
}

impl Host {
    /// The same, with its requests and connections counted, and shown at `/metrics` or not.
    #[must_use]
    pub fn counted(self, metrics: Arc<Metrics>, is_shown: bool) -> Self {
        Self { metrics: Shown::Counted { metrics, is_shown }, ..self }
    }

    /// One that serves figures at `/metrics` and nothing else.
    pub(crate) fn of_metrics(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Shown::Alone(metrics), ..self }
    }
}

fn nothing_at(parts: &Parts) -> Response<Body> {
    let path = parts.uri.path();
    let failure = match Location::parse(path) {
        Ok(location) => Failure::Refused(Refusal::NotFound(location)),
        Err(error) => Failure::BadRequest(error.to_string()),
    };
    respond::failure(&failure, MediaType::TextPlain, &parts.method, path)
}

/// A body in pieces, all of them there.
pub(crate) struct Pieces(VecDeque<Bytes>);

impl Pieces {
    pub(crate) fn new(pieces: Vec<Bytes>) -> Self {
        Self(pieces.into_iter().filter(|piece| !piece.is_empty()).collect())
    }
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let length: usize = self.0.iter().map(Bytes::len).sum();
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use axum::http::header::{ALLOW, CONTENT_TYPE};
    use http_body_util::BodyExt;

    struct Other;

    #[async_trait::async_trait]
    impl Exposition for Other {
        async fn show(&self) -> Vec<Bytes> {
            ["occi_one 1\n", "", "occi_two 2\n"].map(Bytes::from).into()
        }
    }

    fn metrics() -> Arc<Metrics> {
        Arc::new(Metrics::new(Arc::new(Other)).unwrap())
    }

    async fn ask(shown: &Shown, method: Method, path: &str) -> Option<Response<Body>> {
        let (parts, ()) = Request::builder().method(method).uri(path).body(()).unwrap().into_parts();
        shown.answer(&parts).await
    }

    async fn text(metrics: &Arc<Metrics>) -> String {
        let answer = ask(&Shown::Alone(Arc::clone(metrics)), Method::GET, PATH).await.unwrap();
        assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain; version=0.0.4");
        String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
    }

    #[tokio::test]
    async fn requests_are_counted_by_method_and_class() {
        let metrics = metrics();
        let count = |method: &[u8], status: u16| {
            let (method, status) =
                (Method::from_bytes(method).unwrap(), StatusCode::from_u16(status).unwrap());
            metrics.answered(&method, status, Duration::from_micros(700));
        };
        for (method, status) in [
            ("GET", 200),
            ("GET", 304),
            ("GET", 299),
            ("POST", 503),
            ("BREW", 405),
            ("PATCH", 405),
            ("GET", 999),
        ] {
            count(method.as_bytes(), status);
        }
        let text = text(&metrics).await;
        for line in [
            r#"occi_http_requests_total{method="GET",status="2xx"} 2"#,
            r#"occi_http_requests_total{method="GET",status="3xx"} 1"#,
            r#"occi_http_requests_total{method="POST",status="5xx"} 1"#,
            r#"occi_http_requests_total{method="other",status="4xx"} 2"#,
            r#"occi_http_request_duration_seconds_bucket{method="GET",le="0.0005"} 0"#,
            r#"occi_http_request_duration_seconds_bucket{method="GET",le="0.001"} 4"#,
            r#"occi_http_request_duration_seconds_count{method="POST"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
        assert!(text.ends_with("occi_one 1\nocci_two 2\n"), "{text}");
    }

    #[tokio::test]
    async fn connections_are_counted_while_they_are_open() {
        let metrics = metrics();
        let (one, two) = (metrics.connected(), metrics.connected());
        assert!(text(&metrics).await.contains("occi_http_connections 2\n"));
        drop((one, two));
        assert!(text(&metrics).await.contains("occi_http_connections 0\n"));
    }

    #[tokio::test]
    async fn figures_are_shown_where_they_may_be() {
        let metrics = metrics();
        let beside = |is_shown| Shown::Counted { metrics: Arc::clone(&metrics), is_shown };
        let alone = Shown::Alone(Arc::clone(&metrics));
        for (shown, path, status) in [
            (&Shown::Nothing, "/metrics", Some(404)),
            (&Shown::Nothing, "/compute/", None),
            (&beside(false), "/metrics", Some(404)),
            (&beside(true), "/metrics", Some(200)),
            (&beside(true), "/metrics?a=b", Some(200)),
            (&beside(true), "/metrics/", None),
            (&beside(true), "/", None),
            (&alone, "/metrics", Some(200)),
            (&alone, "/compute/", Some(404)),
            (&alone, "/healthz", Some(404)),
        ] {
            let answer = ask(shown, Method::GET, path).await;
            assert_eq!(answer.map(|answer| answer.status().as_u16()), status, "{path}");
        }
        let refused = ask(&alone, Method::POST, PATH).await.unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()[ALLOW]),
            (405, &"GET, HEAD, OPTIONS".parse().unwrap())
        );
        let options = ask(&alone, Method::OPTIONS, PATH).await.unwrap();
        assert_eq!(options.headers()[ALLOW], "GET, HEAD, OPTIONS");
    }
}
