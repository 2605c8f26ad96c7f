"""The manifest in the component: a custom section at its end."""

_NAME = b"occi:manifest"


def with_manifest(component: bytes, manifest: str) -> bytes:
    content = _length(len(_NAME)) + _NAME + manifest.encode()
    return component + b"\0" + _length(len(content)) + content


def _length(number: int) -> bytes:
    """LEB128: seven bits a byte, the lowest first; the eighth says that there are more."""
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)
