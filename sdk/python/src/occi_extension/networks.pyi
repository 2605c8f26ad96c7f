"""Virtual networks. A network belongs to an entity; the host derives its name from that entity. Refusals are faults."""

from typing import Self

from .contract import End

class Plan:
    """What a network should be."""

    def __init__(self) -> None: ...
    def vlan(self, id: int) -> None:
        """The 802.1q id, 1 to 4094."""
    def address(self, cidr: str) -> None:
        """The address of the network in CIDR notation, such as '192.168.7.0/24'."""
    def gateway(self, address: str) -> None:
        """The gateway's address within it."""
    def dhcp(self, enabled: bool) -> None:
        """Whether machines are given addresses by DHCP."""
    def title(self, text: str) -> None:
        """A title for people who look at the hypervisor."""
    def bridge(self, name: str) -> None:
        """The bridge of the hypervisor's host that it is joined to, by the name that the capability offers it under."""

class Network:
    @classmethod
    def define(cls, of: End, plan: Plan) -> Self:
        """Define the network of an entity, or change its definition to the plan."""
    @classmethod
    def open(cls, of: End) -> Self:
        """The network of an entity; 'missing' if there is none."""
    def active(self) -> bool:
        """Whether it carries traffic."""
    def up(self) -> None:
        """Succeeds on an active network."""
    def down(self) -> None:
        """'conflict' while a running machine uses it. Succeeds on an inactive network."""
    def remove(self) -> None:
        """Take it down and forget its definition; 'conflict' while a machine uses it."""
