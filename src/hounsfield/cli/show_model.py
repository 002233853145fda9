"""A result as a table, whatever its fields are."""

from pydantic import BaseModel

from hounsfield.cli.output import heading, line, table
from hounsfield.core.report import Figure

_HIDDEN = frozenset({"schema_version"})


def show_model(title: str, model: BaseModel) -> None:
    """Print single values as lines and every group of values as a table.

    Parameters
    ----------
    title : str
        Heading.
    model : pydantic.BaseModel
        Figures are shown with their interval.
    """
    heading(title)
    for name in type(model).model_fields:
        if name in _HIDDEN:
            continue
        value: object = getattr(model, name)
        words = name.replace("_", " ")
        if isinstance(value, dict) and value:
            table(words, ("", ""), [(str(key), shown(item)) for key, item in value.items()])
        elif isinstance(value, BaseModel) and not isinstance(value, Figure):
            show_model(words, value)
        elif isinstance(value, list | tuple) and len(value) > 1:
            table(words, ("",), [(shown(item),) for item in value])
        else:
            line(f"{words}: {shown(value)}")


def shown(value: object) -> str:
    """Return one value as text: a figure as ``0.78 (0.72 to 0.83)``."""
    if isinstance(value, Figure):
        return figure(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, dict):
        value = [f"{key} {shown(item)}" for key, item in value.items()]
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value)
    return "none" if value is None else str(value)


def figure(found: Figure) -> str:
    """Return a figure with its interval, or why it has no value."""
    if found.value is None:
        return f"undefined ({found.note})" if found.note else "undefined"
    interval = "" if found.low is None or found.high is None else f" ({found.low:.3f} to {found.high:.3f})"
    return f"{found.value:.3f}{interval}{f', {found.note}' if found.note else ''}"


def bar(value: float, *, width: int = 20) -> str:
    """Return a bar for an AUC: empty at 0.5 (chance), full at 0 or 1."""
    filled = round(min(1.0, abs(value - 0.5) * 2) * width)
    return "█" * filled + "·" * (width - filled)
