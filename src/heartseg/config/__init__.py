"""TOML to frozen dataclasses, strictly, and back.

The truth is a dataclass next to the code that it configures; a file says only what differs from
its defaults. An unknown key is an error that names the key you meant. What a run really used,
`to_table(config)`, is stored with the run.

A file may start from another one with `base = "other.toml"` (relative to itself, one level).
Overrides are `schedule.steps=9`. Optional settings are unset with `none`.
"""

from heartseg.config.files import from_changes, load
from heartseg.config.plain import to_table, to_toml
from heartseg.config.strict import from_table

__all__ = ["from_changes", "from_table", "load", "to_table", "to_toml"]
