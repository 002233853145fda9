"""Make a map by the name of its method."""

from collections.abc import Callable
from typing import cast

from hounsfield.core.types import Float64Array
from hounsfield.learn.explain import METHODS
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
