"""The server that serves the zones, where the operator has named one: PowerDNS, or another with its API."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from occi_extension import Fault, config
from occi_extension.http import Request, Response

from .neighbours import Set
from .record import ZONE


class Server:
    """A set of records is sent as it shall be, whole: sent twice it is the same as sent once."""

    def __init__(self, url: str) -> None:
        self._zones = f"{url.removesuffix('/')}/api/v1/servers/localhost/zones"

    def replace(self, wanted: Set) -> None:
        answer = Request(
            "PATCH",
            f"{self._zones}/{quote(wanted.zone)}.",
            # The host puts the key in.
            {"x-api-key": "{{key}}", "content-type": "application/json"},
            json.dumps({"rrsets": [_changed(wanted)]}).encode(),
        ).send()
        if answer.status not in range(200, 300):
            raise _refused(answer)


def of_operator() -> Server | None:
    url = config.get("server")
    return Server(url) if url else None


def _changed(wanted: Set) -> dict[str, Any]:
    named = {"name": f"{wanted.owner}.", "type": wanted.type}
    if not wanted.data:
        return named | {"changetype": "DELETE"}
    records = [{"content": data, "disabled": False} for data in wanted.data]
    return named | {"changetype": "REPLACE", "ttl": wanted.ttl, "records": records}


def _refused(answer: Response) -> Fault:
    message = f"the zone's server refuses ({answer.status}): {_reason(answer)}"
    match answer.status:
        case 404:
            return Fault.missing(message, ZONE)
        case 401 | 403:
            return Fault.denied(message)
        case status if status in range(400, 500):
            return Fault.invalid(message)
        case _:
            return Fault.unavailable(message)


def _reason(answer: Response) -> str:
    try:
        return str(answer.json()["error"])
    except (Fault, KeyError, TypeError):
        return "it does not say why"
