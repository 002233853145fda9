"""Cheap ways to mark a structure, to be beaten: what thresholds, mean shapes and textures alone can do.

Training images with their masks enter.
What was fitted leaves as JSON and arrays, and for another image the probability of every class at every pixel.
"""

from hounsfield.core.tables import Table

MASK_BASELINES = Table(
    "mask baseline",
    {
        "otsu": "hounsfield.science.baselines.otsu",
        "threshold": "hounsfield.science.baselines.threshold",
        "atlas": "hounsfield.science.baselines.atlas",
        "forest": "hounsfield.science.baselines.forest",
    },
)
"""Name to a module with ``fit`` and ``apply``, as `cases` says."""
