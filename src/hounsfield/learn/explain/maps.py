"""Make a map by the name of its method."""

from collections.abc import Callable, Sequence
from typing import cast

from hounsfield.core.errors import InputError
from hounsfield.core.kinds import input_kind
from hounsfield.core.types import Float64Array
from hounsfield.learn.explain import METHODS, NEED_NETWORKS, NOT_FOR
from hounsfield.learn.explain.view import View


def map_of(method: str, view: View) -> Float64Array:
    """Return the map of a view at its input's size, positive where a place speaks for the answer.

    Parameters
    ----------
    method : str
        Name in `hounsfield.learn.explain.METHODS`.
    view : View

    Raises
    ------
    UnknownNameError
        If there is no such method.
    """
    return cast(Callable[[View], Float64Array], METHODS.resolve(method))(view)


def methods_for(kind: str, asked: Sequence[str] = (), *, networks: int) -> tuple[str, ...]:
    """Return the maps that are made, in the order of the table.

    Parameters
    ----------
    kind : str
        Of the explained input.
    asked : sequence of str
        Maps that a user asked for by name; all that there are if empty.
    networks : int
        How many members of the model are networks.

    Raises
    ------
    InputError
        If a map that was asked for does not exist for the kind of input, or hears networks and there is none.
    """
    lacking = {
        name: NOT_FOR.get((name, kind), "none of the model's members is a network")
        for name in METHODS
        if (name, kind) in NOT_FOR or (name in NEED_NETWORKS and not networks and kind != "image")
    }
    for name in asked:
        if name in lacking:
            raise InputError(
                f"There is no map {name} of {input_kind(kind).plural} here: {lacking[name]}.",
                expected=f"one of {', '.join(m for m in METHODS if m not in lacking)}",
                next_step="write another --method, or leave it out",
            )
    return tuple(m for m in METHODS if m not in lacking and (not asked or m in asked))
