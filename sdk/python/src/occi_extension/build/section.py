"""A component's sections, as bytes: its imports by their real names, and the manifest at its end."""

from collections.abc import Iterator, Mapping

_NAME = b"occi:manifest"

# A component begins with a magic number and a version; of its sections, 10 are imports.
_PREAMBLE = 8
_IMPORTS = 10


def with_manifest(component: bytes, manifest: str) -> bytes:
    content = _length(len(_NAME)) + _NAME + manifest.encode()
    return component + b"\0" + _length(len(content)) + content


def with_real_names(component: bytes, names: Mapping[str, str]) -> bytes:
    """Imports that were built by the first name of each pair have the second, which is as long."""
    made = bytearray(component)
    for start, end in _imports(component):
        for built, real in names.items():
            if len(built) != len(real):
                raise ValueError(f"{built} is not as long as {real}")
            made[start:end] = made[start:end].replace(built.encode(), real.encode())
    return bytes(made)


def _imports(component: bytes) -> Iterator[tuple[int, int]]:
    at = _PREAMBLE
    while at < len(component):
        kind, start = component[at], at + 1
        size = shift = 0
        while True:
            byte, start = component[start], start + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        at = start + size
        if kind == _IMPORTS:
            yield start, at


def _length(number: int) -> bytes:
    """LEB128: seven bits a byte, the lowest first; the eighth says that there are more."""
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)
