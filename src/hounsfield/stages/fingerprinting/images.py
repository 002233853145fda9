"""What is known of images over the training part."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from hounsfield.core.cohort import InputSpec, Ref
from hounsfield.core.errors import CohortError
from hounsfield.core.fingerprint import ImageFacts
from hounsfield.core.image import Header, Image
from hounsfield.core.types import Float64Array
from hounsfield.stages.fingerprinting.looks import Look, look


class Images:
    """Looks at images."""

    def look(self, content: Image, header: Header, *, spec: InputSpec, ref: Ref) -> Look:
        """Keep the facts of one image, see `hounsfield.stages.fingerprinting.looks.look`."""
        del ref
        return look(content, header, modality=content.modality or spec.modality)

    def facts(self, name: str, looks: Sequence[Look]) -> ImageFacts:
        """Aggregate the looks at one input."""
        return image_facts(name, looks)


def image_facts(name: str, looks: Sequence[Look]) -> ImageFacts:
    """Aggregate the looks at one image input."""
    dims = {len(v.size) for v in looks}
    if len(dims) > 1:
        raise CohortError(
            f"Input {name!r} mixes 2D images and 3D volumes.",
            expected="one kind in one cohort",
            next_step="put them into two folders",
        )
    sizes = np.array([v.size for v in looks])
    pooled = np.concatenate([v.quantiles for v in looks])
    per_image = np.stack([v.quantiles for v in looks])
    low, high = np.percentile(pooled, (0.5, 99.5))
    colour = float(np.mean([v.colour for v in looks]))
    centre, low_size, high_size = (tuple(round(float(n)) for n in np.percentile(sizes, q, axis=0)) for q in (50, 5, 95))
    return ImageFacts(
        ndim=dims.pop(),
        channels=3 if colour > 0.5 else 1,
        stored_channels=Counter(v.channels for v in looks).most_common(1)[0][0],
        size_median=centre,
        size_low=low_size,
        size_high=high_size,
        bits=Counter(v.bits for v in looks).most_common(1)[0][0],
        modality=Counter(v.modality for v in looks).most_common(1)[0][0],
        value_low=float(low),
        value_high=float(high),
        mean=float(per_image.mean()),
        std=float(pooled.std()),
        colour_share=colour,
        **_placed(looks),
    )


def _placed(looks: Sequence[Look]) -> dict[str, tuple[float, ...] | float]:
    """Return what is known of volumes that all say how they lie in the patient; nothing of others."""
    spacings = [v.spacing_mm for v in looks if v.spacing_mm is not None]
    if len(spacings) < len(looks):
        return {}
    spacing = np.array(spacings, dtype=np.float64)
    extent = spacing * np.array([v.size for v in looks])
    bright = np.percentile([v.quantiles[-1] for v in looks], (5, 95))
    return {
        "spacing_median": _rounded(np.median(spacing, axis=0)),
        "spacing_low": _rounded(np.percentile(spacing, 10, axis=0)),
        "extent_low": _rounded(np.percentile(extent, 5, axis=0)),
        "extent_median": _rounded(np.median(extent, axis=0)),
        "extent_high": _rounded(np.percentile(extent, 95, axis=0)),
        "brightness_ratio": float(bright[1] / bright[0]) if bright[0] > 0 else 1.0,
    }


def _rounded(values: Float64Array) -> tuple[float, ...]:
    return tuple(round(float(v), 4) for v in values)


IMAGES = Images()
