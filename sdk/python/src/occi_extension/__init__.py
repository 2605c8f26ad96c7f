"""What an author adds to write an OCCI extension in Python.

An extension is a manifest, which declares Kinds, Mixins, attributes, actions and states, and a component, which does
the work. The host reads the manifest, answers discovery, checks what clients send and calls the component for the
effect. Whatever the manifest says, the component need not check again.

Each call runs in a fresh sandbox: what a variable of a module keeps is gone with the call.

Capabilities are modules of their own: `config`, `entities`, `folder`, `http`, `keyvalue`, `log`, `machines`,
`images`, `metrics`, `networks` and `volumes`. Each that is imported is one that the manifest has to ask for.
"""

from .attributes import Attributes
from .change import Change
from .contract import End
from .fault import Fault
from .roles import Kind, Mixin, action, kind, mixin
from .subject import Subject
from .values import Reader, Value

__all__ = [
    "Attributes",
    "Change",
    "End",
    "Fault",
    "Kind",
    "Mixin",
    "Reader",
    "Subject",
    "Value",
    "action",
    "kind",
    "mixin",
]
