"""A request in the words of `wasi:http`: in a component alone."""

# The bindings are made with the component.
# mypy: ignore-errors

from contextlib import suppress
from urllib.parse import urlsplit

from wit_world.imports import http_types as types
from wit_world.imports import outgoing_handler
from wit_world.imports.streams import StreamError_Closed

from .contract import Err
from .fault import Fault

# How many bytes a stream takes at a time without being asked first.
_WRITE = 4096
# How many bytes are read at a time.
_READ = 64 << 10

_METHODS = {
    "GET": types.Method_Get,
    "HEAD": types.Method_Head,
    "POST": types.Method_Post,
    "PUT": types.Method_Put,
    "DELETE": types.Method_Delete,
    "OPTIONS": types.Method_Options,
    "PATCH": types.Method_Patch,
}
_SCHEMES = {"http": types.Scheme_Http, "https": types.Scheme_Https}

_TIMEOUT = (
    types.ErrorCode_DnsTimeout,
    types.ErrorCode_ConnectionTimeout,
    types.ErrorCode_ConnectionReadTimeout,
    types.ErrorCode_ConnectionWriteTimeout,
    types.ErrorCode_HttpResponseTimeout,
)
_UNAVAILABLE = (
    types.ErrorCode_DnsError,
    types.ErrorCode_DestinationNotFound,
    types.ErrorCode_DestinationUnavailable,
    types.ErrorCode_DestinationIpUnroutable,
    types.ErrorCode_ConnectionRefused,
    types.ErrorCode_ConnectionTerminated,
)


def send(method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    outgoing = _outgoing(method, url, headers, body)
    content = outgoing.body() if body else None
    try:
        coming = outgoing_handler.handle(outgoing, None)
    except Err as refused:
        raise _fault(refused.value) from refused
    with coming:
        if content:
            # Where the server is not reached, or answers early, the answer says so.
            with suppress(Err):
                _write(content, body)
        with coming.subscribe() as ready:
            ready.block()
        answer = coming.get()
    # Whether it is the first to take the answer, and then what that is.
    if answer is None or isinstance(answer, Err):
        raise Fault.failed("the host has no answer to the request")
    if isinstance(answer.value, Err):
        raise _fault(answer.value.value)
    with answer.value.value as response:
        return _read(response)


def _outgoing(method: str, url: str, headers: dict[str, str], body: bytes) -> types.OutgoingRequest:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Fault.invalid(f"'{url}' is no URL: {error}") from error
    if not parts.scheme or not parts.netloc:
        raise Fault.invalid(f"'{url}' is no URL with a scheme and a host")
    # Else it would go in chunks, which not every server takes.
    length = {"content-length": str(len(body))} if body else {}
    try:
        fields = types.Fields.from_list([(name, value.encode()) for name, value in (length | headers).items()])
    except Err as refused:
        raise Fault.invalid(f"a header of the request cannot be: {refused.value}") from refused
    outgoing = types.OutgoingRequest(fields)
    scheme = _SCHEMES[parts.scheme]() if parts.scheme in _SCHEMES else types.Scheme_Other(parts.scheme)
    try:
        outgoing.set_method(_METHODS[method]() if method in _METHODS else types.Method_Other(method))
        outgoing.set_scheme(scheme)
        outgoing.set_authority(parts.netloc)
        outgoing.set_path_with_query((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    except Err as refused:
        raise Fault.invalid(f"'{method} {url}' cannot be asked") from refused
    return outgoing


def _write(content: types.OutgoingBody, body: bytes) -> None:
    with content.write() as stream:
        for start in range(0, len(body), _WRITE):
            stream.blocking_write_and_flush(body[start : start + _WRITE])
    types.OutgoingBody.finish(content, None)


def _read(response: types.IncomingResponse) -> tuple[int, dict[str, str], bytes]:
    headers: dict[str, str] = {}
    with response.headers() as fields:
        for name, value in fields.entries():
            text = bytes(value).decode(errors="replace")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
    body = bytearray()
    with response.consume() as content, content.stream() as stream:
        while True:
            try:
                body += stream.blocking_read(_READ)
            except Err as ended:
                if isinstance(ended.value, StreamError_Closed):
                    break
                raise Fault.failed(f"the answer broke off: {ended.value.value.to_debug_string()}") from ended
    return response.status(), headers, bytes(body)


def _fault(code: types.ErrorCode) -> Fault:
    """WASI's error as a fault."""
    match code:
        case types.ErrorCode_HttpRequestDenied():
            return Fault.denied("the operator does not let the extension ask that server")
        case types.ErrorCode_DestinationIpProhibited():
            return Fault.denied("the server has an address that the operator does not let extensions reach")
    name = type(code).__name__.removeprefix("ErrorCode_")
    if isinstance(code, _TIMEOUT):
        return Fault.timeout(f"a server did not answer: {name}")
    if isinstance(code, _UNAVAILABLE):
        return Fault.unavailable(f"a server cannot be reached: {name}")
    return Fault.failed(f"a server cannot be asked: {name}")
