"""A folder of the extension's own for each tenant. Refusals are faults.

What is written is so at once: it does not go with the request, and stays where that is refused. A name has 1 to 128
letters, digits, '-', '_' and '.', and does not begin with '.'.
"""

def read(name: str) -> bytes | None:
    """The content of a file, or none where there is no such file."""

def write(name: str, content: bytes) -> None:
    """Write a file of 1 MiB at most, whole, in place of one with that name; 'conflict' where the folder is full."""

def remove(name: str) -> None:
    """Remove a file. Succeeds where there is none."""

def names(after: str | None) -> list[str]:
    """The names of the files in their order behind one (none for the beginning), 100 at most."""
