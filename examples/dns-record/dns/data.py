"""What the value of each type of record is, as a zone file has it. What means the same is written the same."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from .names import absolute, host

# RFC 1035, 3.3: a character-string has at most 255 octets, and 3.2.1: all data of a record together 65535.
_STRING = 255
_PREFERENCES = range(65536)

# RFC 7505: a domain that takes no mail has a mail server without a name.
NO_MAIL = "0 ."


def _a(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError(f"'{value}' is no IPv4 address, such as 192.0.2.1") from None


def _aaaa(value: str) -> str:
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        raise ValueError(f"'{value}' is no IPv6 address, such as 2001:db8::1") from None
    if address.scope_id is not None:
        raise ValueError(f"'{value}' has a zone of its own machine; take %{address.scope_id} away")
    # RFC 5952: the one way of writing it. Python's own of an IPv4 address within differs from version to version.
    return f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped else address.compressed


def _cname(value: str) -> str:
    return f"{absolute(value)}."


def _mx(value: str) -> str:
    found = re.fullmatch(r"([0-9]{1,5})[ \t]+(\S+)", value)
    if found is None or int(found[1]) not in _PREFERENCES:
        raise ValueError(f"'{value}' is no preference, from 0 to 65535, and mail server, such as 10 mail.example.com")
    preference, exchange = int(found[1]), found[2]
    if exchange == ".":
        if preference != 0:
            raise ValueError(f"a domain that takes no mail has '{NO_MAIL}' (RFC 7505)")
        return NO_MAIL
    if re.fullmatch(r"[0-9.]+", exchange):
        raise ValueError(f"'{exchange}' is an address; a mail server is named (RFC 1035, 3.3.9)")
    return f"{preference} {host(exchange)}."


def _txt(value: str) -> str:
    octets = value.encode()
    # A text that is longer is several, which those that read it join (RFC 7208, 3.3); an empty one is one.
    starts = range(0, max(len(octets), 1), _STRING)
    return " ".join(f'"{_escaped(octets[start : start + _STRING])}"' for start in starts)


def _escaped(octets: bytes) -> str:
    """RFC 1035, 5.1: quotes and backslashes have a backslash before them, what is not to be seen its number."""
    return "".join(_character(octet) for octet in octets)


def _character(octet: int) -> str:
    if octet in b'"\\':
        return f"\\{octet:c}"
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03}"


DATA: dict[str, Callable[[str], str]] = {"A": _a, "AAAA": _aaaa, "CNAME": _cname, "MX": _mx, "TXT": _txt}
