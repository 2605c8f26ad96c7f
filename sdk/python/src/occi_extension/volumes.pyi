"""Block storage. A volume belongs to an entity; the host derives its name from that entity. Refusals are faults."""

from typing import Self

from .contract import End

class Volume:
    @classmethod
    def create(cls, of: End, bytes: int) -> Self:
        """Create the volume of an entity with so many bytes; 'conflict' where it exists with another size."""
    @classmethod
    def open(cls, of: End) -> Self:
        """The volume of an entity; 'missing' if there is none."""
    def capacity(self) -> int:
        """Its capacity in bytes."""
    def resize(self, bytes: int) -> None:
        """Change the capacity. Shrinking is 'invalid'."""
    def remove(self) -> None:
        """Delete the volume and its data; 'conflict' while a machine uses it."""
