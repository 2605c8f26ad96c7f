"""A record that attributes describe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from occi_extension import Fault, Reader

from .data import DATA
from .names import absolute, relative

ZONE = "com.example.dns.zone"
NAME = "com.example.dns.name"
TYPE = "com.example.dns.type"
VALUE = "com.example.dns.value"
TTL = "com.example.dns.ttl"
LINE = "com.example.dns.line"


@dataclass(frozen=True)
class Record:
    zone: str
    #: The full name, without the dot at its end.
    owner: str
    type: str
    data: str
    ttl: int

    @property
    def line(self) -> str:
        """RFC 1035, 5.1."""
        return f"{self.owner}. {self.ttl} IN {self.type} {self.data}"


def record(attributes: Reader) -> Record:
    """One that is none is refused, with the attribute that is to be changed."""
    zone = _read(ZONE, absolute, attributes.text(ZONE) or "")
    owner = _read(NAME, lambda name: relative(name, zone), attributes.text(NAME) or "@")
    type = attributes.text(TYPE) or ""
    data = _read(VALUE, DATA[type], attributes.text(VALUE) or "")
    # RFC 1034, 3.6.2: the zone's own name has records that every zone has, and an alias stands alone.
    if type == "CNAME" and owner == zone:
        raise Fault.invalid("the zone itself cannot be an alias; name something in it", NAME)
    if type == "CNAME" and data == f"{owner}.":
        raise Fault.invalid(f"{owner} would be an alias of itself", VALUE)
    ttl = attributes.integer(TTL)
    return Record(zone, owner, type, data, 3600 if ttl is None else ttl)


def _read(name: str, read: Callable[[str], str], text: str) -> str:
    try:
        return read(text)
    except ValueError as error:
        raise Fault.invalid(str(error), name) from None
