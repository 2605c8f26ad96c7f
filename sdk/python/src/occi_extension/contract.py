"""The contract's own types: those of the component's bindings, and outside of one what stands in for them in tests."""

import sys

if sys.platform == "wasi":
    from componentize_py_types import Err
    from wit_world.imports import types

    End = types.End
else:
    from .in_memory import types
    from .in_memory.types import End, Err

__all__ = ["End", "Err", "types"]
