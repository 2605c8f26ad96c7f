"""Virtual machines: the capability `machines`, by the contract's functions; see machines.pyi, wit/machines.wit."""

import sys

if sys.platform == "wasi":
    from wit_world.imports.machines import Machine, Nic, Plan
else:
    from .in_memory.absent import Absent

    Machine = Nic = Plan = Absent

__all__ = ["Machine", "Nic", "Plan"]
