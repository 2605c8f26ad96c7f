"""Other entities of the tenant: the extension's own, and those of the Kinds that its manifest names in
`[capabilities.entities] kinds`; and links of the subject, of the extension's own Kinds and those named in `links`.
Refusals are faults.
"""

from typing import Self

from .contract import types

def find(location: str) -> types.Entity:
    """The entity at a location, such as '/compute/web'; 'missing' where there is none."""

def link(kind: str, target: str, attributes: list[types.Attribute]) -> str:
    """Has a link of that Kind lead from the subject to the resource at a location, once the operation is committed.

    It answers the location that the link will have. Where the link is refused then, the subject is observed with the
    cause 'refused'.
    """

def unlink(location: str) -> None:
    """Has the link at a location go, which leaves the subject, once the operation is committed."""

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
