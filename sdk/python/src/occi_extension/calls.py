"""From what an author writes to what the host calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .attributes import Attributes
from .change import Change
from .contract import Err, types
from .fault import Fault
from .roles import Role
from .subject import Subject


class Extension:
    """The functions of the contract, for the roles of one extension. Each call has a new instance of its role."""

    def __init__(self, roles: Iterable[type[Role]], begin: Callable[[], None] = lambda: None) -> None:
        self.roles = {role.type_identifier: role for role in roles}
        self._begin = begin

    def create(self, operation: str, role: str, entity: types.Entity) -> types.Change:
        handler = self._role(role).create
        return _call(f"create of {role}", lambda: handler(Subject(entity, role, operation)))

    def update(self, operation: str, role: str, entity: types.Entity, wanted: list[types.Attribute]) -> types.Change:
        handler = self._role(role).update
        return _call(f"update of {role}", lambda: handler(Subject(entity, role, operation), Attributes(wanted)))

    def delete(self, operation: str, role: str, entity: types.Entity) -> None:
        handler = self._role(role).delete
        _call(f"delete of {role}", lambda: handler(Subject(entity, role, operation)))

    def act(
        self, operation: str, role: str, entity: types.Entity, term: str, parameters: list[types.Attribute]
    ) -> types.Change:
        this = self._role(role)

        def handler() -> Change | None:
            # The build has seen to it that there is one for each, unless the manifest was exchanged since.
            if term not in this.actions:
                raise Fault.unsupported(f"the extension does not know how to {term}")
            return this.actions[term](this, Subject(entity, role, operation), Attributes(parameters))

        return _call(f"{term} of {role}", handler)

    def observe(self, role: str, entity: types.Entity, cause: str) -> types.Change:
        handler = self._role(role).observe
        return _call(f"observe of {role}", lambda: handler(Subject(entity, role, ""), cause))

    def migrate(self, from_version: str, role: str, entity: types.Entity) -> types.Change:
        handler = self._role(role).migrate
        return _call(f"migrate of {role}", lambda: handler(Subject(entity, role, ""), from_version))

    def _role(self, role: str) -> Role:
        self._begin()
        # One that the manifest alone knows changes nothing.
        return self.roles.get(role, Role)()


def _call(where: str, handler: Callable[[], Change | None]) -> types.Change:
    """Calls a handler. What it raises becomes the contract's fault."""
    try:
        answer = handler()
        if not isinstance(answer, Change | None):
            raise TypeError(f"the answer is {answer!r}, which is no Change")
        return (answer or Change()).lower()
    except Exception as raised:
        raise Err(Fault.of(raised, where).lower()) from raised
