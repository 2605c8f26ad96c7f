"""Images, which the systems of machines begin as, and others for volumes. Refusals are faults."""

from .machines import Machine
from .volumes import Volume

def make(of: Machine, title: str) -> str:
    """Make an image of the disk that a machine boots from; its name, which is made of the title."""

def make_of_volume(of: Volume, title: str) -> str:
    """Make an image of what is on a volume, for volumes to begin as; its name, which is made of the title."""
