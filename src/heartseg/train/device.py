"""What a run computes on."""

import torch

from heartseg.core.errors import ConfigError
from heartseg.core.hardware import hardware
from heartseg.segment.runtime import require_device


def hardware_of(device: torch.device) -> str:
    """What a run computes on, as its record says it."""
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return hardware(card)


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" takes a graphics card where there is one.

    Raises:
        ConfigError: no such device, or no usable card.
    """
    require_device(name)
    usable = torch.cuda.is_available()
    if name == "cuda" and not usable:
        raise ConfigError("device", got="cuda, but torch finds no usable card", do="use cpu")
    return torch.device("cuda" if usable and name != "cpu" else "cpu")
