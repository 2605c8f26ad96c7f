"""Requests to other servers: the capability `http`.

The operator says which servers the extension may ask; a request to any other is denied. Redirects are not followed: an
answer that tells of another place is an answer like any other. A secret is named, and the host puts it in:

    answer = Request("GET", "https://api.example.com/zones", {"authorization": "Bearer {{token}}"}).send()
    if answer.status == 200:
        zones = answer.json()
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .fault import Fault

if sys.platform == "wasi":
    from . import outgoing as outside
else:
    from .in_memory import http as outside


class _Message:
    headers: Mapping[str, str]
    body: bytes

    def __post_init__(self) -> None:
        self.headers = {name.lower(): value for name, value in self.headers.items()}

    @property
    def text(self) -> str:
        """The body, which is UTF-8."""
        try:
            return self.body.decode()
        except UnicodeDecodeError as error:
            raise Fault.failed("what a server is asked, or answers, is not UTF-8") from error

    def json(self) -> Any:
        """The body, which is JSON."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise Fault.failed("what a server is asked, or answers, is not JSON") from error


@dataclass
class Request(_Message):
    """What is asked."""

    method: str
    #: Whole, with scheme and host.
    url: str
    #: By their names, in lower case.
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def send(self) -> Response:
        """Sends it, and reads the whole answer, be it an error or not.

        A fault is `denied` where the operator does not let the extension ask that server, `unavailable` where it cannot
        be reached, and `timeout` where it does not answer in time.
        """
        return Response(*outside.send(self.method, self.url, dict(self.headers), self.body))


@dataclass
class Response(_Message):
    """What a server answers."""

    status: int
    #: By their names, in lower case. One that came several times has its values with commas between (RFC 9110, 5.3).
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
