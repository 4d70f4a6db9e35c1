"""The page of commands, from the command line itself."""

import inspect
from typing import Any

import typer
from settings_page import shown
from sheets import markdown_table

from heartseg.cli import app


def commands() -> dict[str, Any]:
    """The subcommands of `heartseg` by name, `a b` for one of a group."""
    group: Any = typer.main.get_command(app)
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = getattr(command, "commands", {name: command})
        lead = f"{name} " if inner is getattr(command, "commands", None) else ""
        found |= {lead + own: one for own, one in inner.items() if not one.hidden}
    return found


def page() -> str:
    """What each command takes."""
    parts = ["Exit codes: 0 all done, 1 something failed (the rest is written), 2 wrong usage."]
    for name, command in commands().items():
        offered = [parameter for parameter in command.params if not parameter.hidden]
        rows = [(_usage(p), _help(p), _default(p)) for p in offered]
        table = markdown_table(("", "means", "default"), rows)
        parts.append(f"## heartseg {name}\n\n{inspect.cleandoc(command.help or '')}\n\n{table}")
    return "\n\n".join(parts)


def _usage(parameter: Any) -> str:
    if parameter.opts and parameter.opts[0].startswith("-"):
        return ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    return f"`{parameter.metavar or parameter.name.upper()}`"


def _help(parameter: Any) -> str:
    said = parameter.help or ""
    choices = [getattr(one, "value", one) for one in getattr(parameter.type, "choices", ())]
    if choices:
        said += f" ({', '.join(choices)})"
    return said.strip()


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or callable(default) or default in ("", (), []):
        return "-"
    return f"`{shown(default)}`"
