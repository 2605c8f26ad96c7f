"""Other entities of the tenant: the extension's own, and those of the Kinds that its manifest names in
`[capabilities.entities] kinds`. Refusals are faults.
"""

from typing import Self

from .contract import types

def find(location: str) -> types.Entity:
    """The entity at a location, such as '/compute/web'; 'missing' where there is none."""

class Listing:
    """Entities in the order in which they were made, without those that the extension may not read."""

    @classmethod
    def members(cls, category: str) -> Self:
        """The members of the collection of a Kind or a Mixin, which is named by its type identifier."""
    @classmethod
    def links_from(cls, of: types.Entity) -> Self:
        """The links that leave a resource."""
    @classmethod
    def links_to(cls, of: types.Entity) -> Self:
        """The links that lead to a resource."""
    def next(self) -> list[types.Entity] | None:
        """The next of them, 100 at most and possibly none; no list at the end."""
