"""Virtual machines. A machine belongs to an entity; a guest can reach no other. Refusals are faults.

wit/machines.wit has more words on each function.
"""

from typing import Self

from .contract import End, types
from .networks import Network
from .volumes import Volume

class Plan:
    """What a machine should be. What is not set takes the operator's default."""

    def __init__(self) -> None: ...
    def cores(self, count: int) -> None:
        """Virtual CPUs."""
    def memory(self, bytes: int) -> None:
        """Memory in bytes."""
    def shares(self, weight: int) -> None:
        """The weight in the hypervisor's CPU scheduling, relative to other machines."""
    def architecture(self, name: str) -> None:
        """'x86_64' or 'i686'."""
    def hostname(self, name: str) -> None:
        """The fully qualified name that the guest system should use."""
    def title(self, text: str) -> None:
        """A title for people who look at the hypervisor."""
    def image(self, name: str) -> None:
        """The image that its system begins as, on a disk of its own that goes with it."""
    def scratch(self, bytes: int) -> None:
        """A disk for what need not last, of so many bytes at least; it goes with the machine."""
    def seed(self, name: str, content: bytes) -> None:
        """A file on a small disk with the label 'cidata', where cloud-init looks for what a machine is to be."""
    def labels(self, labels: list[str]) -> None:
        """It is to be at a hypervisor of which the operator says all of these."""
    def near(self, other: types.Entity) -> None:
        """It is to be at the hypervisor of one of the entities that are named."""
    def apart(self, other: types.Entity) -> None:
        """It is to be at the hypervisor of none of the entities that are named."""

class Nic:
    """A network interface of a machine."""

    def device(self) -> str:
        """The device's name as the machine sees it, such as 'eth0'."""
    def mac(self) -> str:
        """The hardware address, such as '52:54:00:12:34:56'."""

class Machine:
    @classmethod
    def define(cls, of: End, plan: Plan) -> Self:
        """Define the machine of an entity, or change its definition to the plan."""
    @classmethod
    def open(cls, of: End) -> Self:
        """The machine of an entity; 'missing' if there is none."""
    @classmethod
    def discard(cls, of: End) -> None:
        """Destroy the machine of an entity, and all that was made for it. Succeeds where there is none."""
    @classmethod
    def is_away(cls, of: End) -> bool:
        """Whether nobody knows what the machine does: its hypervisor has not answered for some seconds."""
    def node(self) -> str:
        """The operator's name for the hypervisor that it is at."""
    def scratch(self) -> str | None:
        """The disk for what need not last as the machine sees it, such as 'vdb'; None where it has none."""
    def state(self) -> str:
        """'running', 'paused', 'saved' (memory on disk), 'off' or 'crashed'."""
    def reason(self) -> str:
        """Why it is in that state, in the hypervisor's words, such as 'destroyed'."""
    def start(self) -> None:
        """Start, resume or restore, whichever leads to 'running'."""
    def shutdown(self, wait_ms: int) -> None:
        """Ask the guest system to shut down, and wait until it is off; 'timeout' after so many milliseconds."""
    def power_off(self) -> None:
        """Take the power away."""
    def reboot(self) -> None:
        """Ask the guest system to restart."""
    def restart(self, wait_ms: int) -> None:
        """The same, and wait until the machine begins anew; 'timeout' after so many milliseconds."""
    def reset(self) -> None:
        """Press the reset button."""
    def pause(self) -> None:
        """Stop the CPUs and keep the memory in place."""
    def save(self) -> None:
        """Write the memory to disk and stop."""
    def snapshot(self, name: str) -> None:
        """Keep the present state of the machine and its disks under a name; an older one of that name gives way."""
    def attach_volume(self, volume: Volume) -> str:
        """Attach a volume for the subject of the call; the device's name as the machine sees it, such as 'vdb'."""
    def detach_volume(self, volume: Volume) -> None:
        """Succeeds where the volume is not attached."""
    def attach_network(self, network: Network, mac: str | None) -> Nic:
        """Attach an interface to a network for the subject of the call."""
    def reserve_address(self, network: Network, address: str | None) -> None:
        """Have the network's DHCP keep an address for the interface of the subject of the call, or none any more."""
    def give_address(self, network: Network) -> str | None:
        """The same with an address that the host chooses; None where the network gives none out."""
    def detach_network(self, network: Network) -> None:
        """Take away the interface of the subject of the call. Succeeds where there is none."""
    def remove(self) -> None:
        """Destroy the machine and forget its definition; volumes stay."""
