"""Images, which the systems of machines begin as. Refusals are faults."""

from .machines import Machine

def make(of: Machine, title: str) -> str:
    """Make an image of the disk that a machine boots from; its name, which is made of the title."""
