//! One request, over a connection of its own: none is shared, so nobody finds what another has left there.

use super::grant::HttpGrant;
use super::{Answer, secret};
use http::{Request, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_util::either::Either;
use tokio_util::task::AbortOnDropHandle;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// How long a connection may take; the guest may ask for less.
const CONNECT: Duration = Duration::from_secs(10);
/// The largest body that is sent, in bytes.
const SENT: usize = 4 << 20;
/// The largest body that is received, in bytes.
const RECEIVED: usize = 16 << 20;

/// Sends a request that was admitted, and waits for the head of the answer.
pub(super) async fn send(
    extension: &str,
    grant: &HttpGrant,
    mut request: Request<WasiBody>,
    options: RequestOptions,
) -> Answer {
    if let Err(unknown) = secret::put_into(request.headers_mut(), grant.secrets()) {
        tracing::warn!(extension, "its request is not sent: {unknown} (below [http.{extension}.secrets])");
        return Err(Error::HttpRequestDenied);
    }
    let connect = options.connect_timeout.map_or(CONNECT, |asked| asked.min(CONNECT));
    let stream = timeout(connect, connected(extension, grant, request.uri()));
    let stream = stream.await.map_err(|_| Error::ConnectionTimeout)??;
    let mut stream = Box::pin(TimeoutStream::new(stream));
    stream.as_mut().set_read_timeout_pinned(options.between_bytes_timeout);

    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the call.
    let connection = AbortOnDropHandle::new(tokio::spawn(connection));
    *request.uri_mut() = path_only(request.uri())?;
    let request = request.map(|body| Limited::new(body, SENT).map_err(not_sent).boxed_unsync());
    let first = options.first_byte_timeout.unwrap_or(Duration::MAX);
    let answer =
        timeout(first, sender.send_request(request)).await.map_err(|_| Error::ConnectionReadTimeout)??;
    let answer = answer.map(|body| Limited::new(body, RECEIVED).map_err(not_received).boxed_unsync());
    Ok((answer, Box::new(async move { Ok(connection.await.map_err(|_| Error::ConnectionTerminated)??) })))
}

type Stream = Either<TcpStream, tokio_rustls::client::TlsStream<TcpStream>>;

async fn connected(extension: &str, grant: &HttpGrant, uri: &Uri) -> Result<Stream, Error> {
    let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_secure = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
    let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });

    let found = addresses(host, port).await?;
    let (reached, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|address| grant.reaches(address.ip()));
    if reached.is_empty() {
        let Some(address) = others.first() else { return Err(Error::DestinationNotFound) };
        tracing::warn!(
            extension,
            "{host} is at {0}, which is no public address; to let it be reached, add \"{0}\" to `addresses` below [http.{extension}] in the configuration",
            address.ip()
        );
        return Err(Error::DestinationIpProhibited);
    }
    let stream = first_of(&reached).await?;
    if !is_secure {
        return Ok(Either::Left(stream));
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::HttpRequestUriInvalid)?;
    let secured = TlsConnector::from(grant.tls()).connect(name, stream).await;
    secured.map(Either::Right).map_err(|error| {
        tracing::warn!(extension, "no secure connection to {host}: {error}");
        Error::TlsCertificateError
    })
}

async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![(address, port).into()]);
    }
    let found = lookup_host((host, port)).await;
    found
        .map(Iterator::collect)
        .map_err(|error| Error::DnsError { rcode: Some(error.to_string()), info_code: None })
}

/// The first that takes the connection; the last one's error where none does.
async fn first_of(addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    let mut failed = Error::DestinationNotFound;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = refused(&error),
        }
    }
    Err(failed)
}

fn refused(error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        ErrorKind::TimedOut => Error::ConnectionTimeout,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Error::DestinationIpUnroutable,
        _ => Error::DestinationUnavailable,
    }
}

/// What stands in a request to the server itself, and not to a proxy.
fn path_only(uri: &Uri) -> Result<Uri, Error> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    path.parse().map_err(|_| Error::HttpRequestUriInvalid)
}

/// What a body is limited by, or fails of.
type Broken = Box<dyn std::error::Error + Send + Sync>;

fn not_sent(error: Broken) -> Error {
    if error.is::<LengthLimitError>() {
        return Error::HttpRequestBodySize(u64::try_from(SENT).ok());
    }
    error.downcast().map_or_else(|error| Error::InternalError(Some(error.to_string())), |error| *error)
}

fn not_received(error: Broken) -> Error {
    if error.is::<LengthLimitError>() {
        return Error::HttpResponseBodySize(u64::try_from(RECEIVED).ok());
    }
    error
        .downcast()
        .map_or_else(|error| Error::InternalError(Some(error.to_string())), |error| Error::Hyper(*error))
}
