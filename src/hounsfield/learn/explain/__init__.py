"""Explanations: which places of an image carry a network's answer, and how the answer changes when they are hidden.

Enters: a bundle's members, one prepared image, the question which number of which head is to be explained.
Leaves: maps at the network's input size, curves of the answer, maps of the same network with randomised weights.
"""

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
