"""Virtual networks: the capability `networks`, by the contract's functions; see networks.pyi, wit/networks.wit."""

import sys

if sys.platform == "wasi":
    from wit_world.imports.networks import Network, Plan
else:
    from .in_memory.absent import Absent

    Network = Plan = Absent

__all__ = ["Network", "Plan"]
