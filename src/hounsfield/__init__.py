"""Hounsfield: from a folder of medical studies and their answers to a diagnostic model that can be judged.

Enters: folders, tables, arrays.
Leaves: reports, bundles, predictions. Each name below is the verb of the same name on the command line.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from hounsfield.facade import (
        compare,
        deidentify,
        demo,
        doctor,
        evaluate,
        explain,
        export,
        follow,
        inspect,
        measure,
        plan,
        predict,
        train,
    )

__all__ = [
    "__version__",
    "compare",
    "deidentify",
    "demo",
    "doctor",
    "evaluate",
    "explain",
    "export",
    "follow",
    "inspect",
    "measure",
    "plan",
    "predict",
    "train",
]


def __getattr__(name: str) -> object:
    """Resolve a verb when it is first asked for: importing the package stays cheap."""
    if name in __all__:
        return getattr(import_module("hounsfield.facade"), name)
    raise AttributeError(f"module 'hounsfield' has no attribute {name!r}")
