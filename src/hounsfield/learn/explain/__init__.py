"""Explanations: which places of an image, or stretches of a signal, carry an answer, and what it is without them.

Enters: a bundle's members, one prepared case, the question which number of which head is to be explained.
Leaves: maps at the size of the explained input, curves of the answer, maps of the same network with randomised weights.
"""

from collections.abc import Mapping

from hounsfield.core.tables import Table

METHODS = Table(
    "map",
    {
        "gradcam": "hounsfield.learn.explain.gradcam:gradcam",
        "gradients": "hounsfield.learn.explain.gradients:integrated_gradients",
        "occlusion": "hounsfield.learn.explain.occlusion:occlusion",
    },
)
"""Maps by name: functions of a `View` that return a map at the input's size; adding one is a file and a line here."""

HIDING = Table(
    "kind of input that has maps",
    {
        "image": "hounsfield.learn.explain.hiding:ImageHiding",
        "signal": "hounsfield.learn.explain.hiding:SeriesHiding",
    },
)
"""Input kinds that have places, and how these are hidden: classes as `hounsfield.learn.explain.hiding.Hiding`."""

NOT_FOR: Mapping[tuple[str, str], str] = {
    ("gradcam", "signal"): "Grad-CAM is drawn from the feature maps of images, and a recurrent network has none",
}
"""Maps that a kind of input does not have, and why."""

NEED_NETWORKS = frozenset({"gradcam", "gradients"})
"""Maps that hear networks alone: of a model without any they would be empty."""
