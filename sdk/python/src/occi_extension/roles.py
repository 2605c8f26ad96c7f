"""Kinds and Mixins as an author writes them: classes with a method for each thing that can happen."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar, TypeAlias, TypeVar

from .attributes import Attributes
from .change import Change
from .subject import Subject

#: What the handler of an action is.
Action: TypeAlias = Callable[[Any, Subject, Attributes], Change | None]

_ACTION = "_occi_action"

A = TypeVar("A", bound=Action)
K = TypeVar("K", bound="type[Kind]")
M = TypeVar("M", bound="type[Mixin]")

# The interface of the contract that each handler needs.
_INTERFACES = {
    "create": "lifecycle",
    "update": "lifecycle",
    "delete": "lifecycle",
    "observe": "observe",
    "migrate": "migrate",
}


class Role:
    """What an extension does for one Kind or Mixin.

    What is not overridden does nothing and succeeds; None is a change of nothing. wit/ says when each is called.
    """

    type_identifier: ClassVar[str] = ""
    actions: ClassVar[dict[str, Action]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        found = (getattr(cls, name) for name in dir(cls))
        cls.actions = {getattr(each, _ACTION): each for each in found if hasattr(each, _ACTION)}

    def create(self, subject: Subject) -> Change | None:
        """The entity, or the Mixin of it, is about to exist."""

    def update(self, subject: Subject, wanted: Attributes) -> Change | None:
        """A client changes attributes: the wanted ones, which the host sets before it applies the answer."""

    def delete(self, subject: Subject) -> None:
        """The entity, or the Mixin of it, is about to go. It must succeed where there is nothing left to undo."""

    def observe(self, subject: Subject, cause: str) -> Change | None:
        """The world moved: say what the entity is now.

        The cause is 'event', 'timer', 'refused', 'restart' or 'recreate'; a later version may have others.
        """

    def migrate(self, subject: Subject, from_version: str) -> Change | None:
        """An older version of this extension made the entity, and it does not fit this one."""

    @classmethod
    def interfaces(cls) -> set[str]:
        """The interfaces of the contract that its handlers need."""
        overridden = (name for name in _INTERFACES if getattr(cls, name) is not getattr(Role, name))
        return {_INTERFACES[name] for name in overridden} | ({"actions"} if cls.actions else set())


class Kind(Role):
    """A Kind of the extension, named by `@kind`."""


class Mixin(Role):
    """A Mixin of the extension, named by `@mixin`."""


def kind(type_identifier: str) -> Callable[[K], K]:
    """The type identifier (scheme and term) of the Kind that a class is, as in the manifest."""

    def name(role: K) -> K:
        role.type_identifier = type_identifier
        return role

    return name


def mixin(type_identifier: str) -> Callable[[M], M]:
    """The type identifier (scheme and term) of the Mixin that a class is, as in the manifest."""

    def name(role: M) -> M:
        role.type_identifier = type_identifier
        return role

    return name


def action(term: str) -> Callable[[A], A]:
    """The term of the action that a method does, as in the manifest."""

    def name(method: A) -> A:
        setattr(method, _ACTION, term)
        return method

    return name


def roles_in(module: ModuleType) -> list[type[Role]]:
    """The Kinds and Mixins that a module names, its own and those that it has imported."""
    found = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Role)]
    return [role for role in found if role.type_identifier]
