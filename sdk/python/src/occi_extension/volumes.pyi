"""Block storage. A volume belongs to an entity; the host derives its name from that entity. Refusals are faults."""

from typing import Self

from .contract import End

class Volume:
    @classmethod
    def create(cls, of: End, bytes: int) -> Self:
        """Create the volume of an entity with so many bytes; 'conflict' where it exists with another size."""
    @classmethod
    def create_as(cls, of: End, bytes: int, format: str | None, image: str | None) -> Self:
        """The same in a format, 'qcow2', 'raw' or None for the operator's, and as a copy of an image for volumes."""
    @classmethod
    def open(cls, of: End) -> Self:
        """The volume of an entity; 'missing' if there is none."""
    def capacity(self) -> int:
        """Its capacity in bytes."""
    def format(self) -> str:
        """How it is written at the hypervisor, such as 'qcow2'."""
    def resize(self, bytes: int) -> None:
        """Change the capacity. Shrinking is 'invalid'."""
    def remove(self) -> None:
        """Delete the volume and its data; 'conflict' while a machine uses it."""
