"""Domain names (RFC 1034, RFC 1035). Upper and lower case mean the same (RFC 4343), so all are made lower."""

from __future__ import annotations

import re

#: RFC 1035, 2.3.4: 255 octets on the wire, where each label has its length before it and the root is the last.
LONGEST = 253

# RFC 1123, 2.1: letters, digits and hyphens, which are not at an end; RFC 1035, 2.3.4: at most 63.
_HOST_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# RFC 8552: names of services and policies, such as _dmarc, have an underscore, so that no host is called so.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def absolute(text: str) -> str:
    """A full name, with or without the dot of the root at its end; the answer has none."""
    return _checked(text.lower().removesuffix("."), _LABEL)


def host(text: str) -> str:
    """The name of a host."""
    return _checked(text.lower().removesuffix("."), _HOST_LABEL)


def relative(text: str, zone: str) -> str:
    """The full name of what is called so within a zone; '@' is the zone itself (RFC 1035, 5.1)."""
    if text == "@":
        return zone
    name = text.lower()
    # RFC 4592, 2.1.1: a wildcard is one only as the first label.
    wildcard, rest = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    if name == "*":
        return _short_enough(f"*.{zone}")
    if name.endswith("."):
        raise ValueError(f"'{text}' is a full name; write it as it is within {zone}, or @ for {zone} itself")
    return _short_enough(f"{wildcard}{_checked(rest, _LABEL)}.{zone}")


def _checked(name: str, label: re.Pattern[str]) -> str:
    for each in name.split("."):
        if not label.fullmatch(each):
            raise ValueError(_reason(name, each, label))
    return _short_enough(name)


def _reason(name: str, label: str, wanted: re.Pattern[str]) -> str:
    if not label:
        return f"'{name}' has a label that is empty"
    if not label.isascii():
        return f"'{name}' is not in ASCII; write the label '{label}' as IDNA has it, with xn--"
    if len(label) > 63:
        return f"the label '{label}' is longer than 63 characters"
    letters = "letters, digits and hyphens" if wanted is _HOST_LABEL else "letters, digits, hyphens and underscores"
    return f"'{label}' in '{name}' is no label: {letters}, with no hyphen at an end"


def _short_enough(name: str) -> str:
    if len(name) > LONGEST:
        raise ValueError(f"a name of {len(name)} characters is too long; it may have {LONGEST}")
    return name
