"""Options that several commands share, as one parameter: a dataclass whose fields are options."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with every parameter that is a dataclass replaced by its fields.

    Parameters
    ----------
    command : callable
        A command; the fields of its dataclasses are annotated as options are.

    Notes
    -----
    What Typer sees are the fields, what the command gets is the dataclass: an option of several commands is then
    written once, and so is what is made of all of them together.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if isinstance(kind, type) and is_dataclass(kind)}
    shown: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name not in groups:
            shown.append(parameter.replace(annotation=hints[parameter.name]))
            continue
        group = groups[parameter.name]
        told = get_type_hints(group, include_extras=True)
        shown += [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=told[f.name])
            for f in fields(group)
        ]

    @functools.wraps(command)
    def spreaded(**given: Any) -> None:  # noqa: ANN401 whatever the options are
        for name, group in groups.items():
            given[name] = group(**{f.name: given.pop(f.name) for f in fields(group)})
        command(**given)

    spreaded.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]  # read by inspect.signature
    spreaded.__annotations__ = {p.name: p.annotation for p in shown}
    return spreaded
