"""What a component is made of: the author's `extension` as the classes that the bindings call, by their names."""

from occi_extension import ambient

ambient.remove()

import extension  # noqa: E402

from occi_extension.calls import Extension  # noqa: E402
from occi_extension.roles import roles_in  # noqa: E402


class Component(Extension):
    def __init__(self) -> None:
        super().__init__(roles_in(extension), ambient.begin)


ambient.seal()

Lifecycle = Actions = Observe = Migrate = Component
