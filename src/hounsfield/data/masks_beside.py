"""Masks that lie beside images under their names: ``name_mask.png``, or one name in ``images/`` and ``masks/``."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hounsfield.data.files import RASTER_ENDINGS, VOLUME_ENDINGS, ending, folded, looks_like_mask, stem
from hounsfield.data.words import tokens

TAILS = ("_mask", "-mask", " mask", "_segmentation", "_seg")
"""Ends of the names of masks that lie in the folders of their images, before a number."""
PAIRS = "name.png with name_mask.png, or images/ and masks/ with equal names"
"""How masks beside images are called, for who has to name them."""
_PAIRED = frozenset(RASTER_ENDINGS + VOLUME_ENDINGS)
_MASKS = frozenset(
    {"mask", "masks", "seg", "segs", "segmentation", "segmentations", "annotation", "annotations", "label", "labels",
     "gt", "groundtruth", "ground", "truth"}
)  # fmt: skip
_IMAGES = frozenset({"image", "images", "img", "imgs", "input", "inputs", "scan", "scans", "picture", "pictures"})


@dataclass(frozen=True)
class Beside:
    """Images and the masks that lie beside them.

    Parameters
    ----------
    pictures : tuple of str
        Images, with or without a mask.
    masks : mapping of str to tuple of str
        Image to its masks; one for each lesion where there are several.
    lonely : tuple of str
        Masks that are of no image.
    unused : tuple of str
        Masks of images that have others, of a kind that more images have.
    """

    pictures: tuple[str, ...] = field(repr=False)
    masks: dict[str, tuple[str, ...]] = field(repr=False)
    lonely: tuple[str, ...] = field(default=(), repr=False)
    unused: tuple[str, ...] = field(default=(), repr=False)


def masks_beside(paths: Sequence[str]) -> Beside:
    """Find the masks among images.

    Parameters
    ----------
    paths : sequence of str
        Of images of any kind; pictures and volumes are looked at.
    """
    able = [p for p in paths if ending(p) in _PAIRED]
    pictures = [p for p in able if not is_mask(p)]
    index = _Index(pictures)
    found: dict[str, dict[str, list[str]]] = {}
    lonely = []
    for path in able:
        if is_mask(path):
            image = index.image_of(path)
            if image is None:
                lonely.append(path)
            else:
                found.setdefault(image, {}).setdefault(_kind(path), []).append(path)
    count = Counter(kind for kinds in found.values() for kind in kinds)
    masks, unused = {}, []
    for image, kinds in found.items():
        best = min(kinds, key=lambda kind: (-count[kind], kind))
        masks[image] = tuple(kinds[best])
        unused += [p for kind, own in kinds.items() if kind != best for p in own]
    return Beside(tuple(pictures), masks, tuple(lonely), tuple(sorted(unused)))


def without_tail(name: str) -> tuple[str, str] | None:
    """Return the name of the image of ``name_mask_1`` and the tail, both folded; None where the name has none."""
    bare = folded(name).rstrip("0123456789").rstrip("_- ")
    return next(((bare[: -len(tail)], tail) for tail in TAILS if bare.endswith(tail) and bare != tail), None)


def is_mask(path: str) -> bool:
    """Tell by its folders and its name whether a file is a mask where masks lie beside images."""
    return looks_like_mask(path) or any(_names_masks(folder) for folder in path.split("/")[:-1])


def _names_masks(folder: str) -> bool:
    words = set(tokens(folder))
    return bool(words & _MASKS) and not words & _IMAGES


def _kind(path: str) -> str:
    """Return what distinguishes masks of one reader or structure from others: their folder's name, or their tail."""
    folder = next((f for f in reversed(path.split("/")[:-1]) if _names_masks(f)), "")
    tail = without_tail(stem(path))
    return folded(folder) or (tail[1] if tail else "")


class _Index:
    """Where pictures lie, looked up by folder and name."""

    def __init__(self, pictures: Sequence[str]) -> None:
        self._by_name: dict[tuple[str, str], list[str]] = {}
        self._below: dict[str, set[str]] = {}
        self._siblings: dict[tuple[str, str], list[str]] = {}
        for path in pictures:
            folder = path.rpartition("/")[0]
            self._by_name.setdefault((folder, folded(stem(path))), []).append(path)
            while folder:
                parent, _, name = folder.rpartition("/")
                self._below.setdefault(parent, set()).add(name)
                folder = parent

    def image_of(self, mask: str) -> str | None:
        """Return the image of a mask; None where there is none, or several could be it."""
        several = next((found for place in self._places(mask) if (found := self._by_name.get(place))), [])
        if len(several) > 1:
            several = [p for p in several if ending(p) == ending(mask)]
        return several[0] if len(several) == 1 else None

    def _places(self, mask: str) -> Iterator[tuple[str, str]]:
        """Yield folder and name that the image of a mask may have, best first."""
        folder = mask.rpartition("/")[0]
        name = folded(stem(mask))
        tail = without_tail(name)
        if tail:
            yield folder, tail[0]
        steps = folder.split("/")
        for i in reversed(range(len(steps))):
            if steps[i] and _names_masks(steps[i]):
                parent, rest = "/".join(steps[:i]), steps[i + 1 :]
                for own in (name, tail[0]) if tail else (name,):
                    for other in self._beside(parent, steps[i]):
                        yield "/".join([*steps[:i], other, *rest]), own
                    yield "/".join([*steps[:i], *rest]), own

    def _beside(self, parent: str, masks: str) -> list[str]:
        """Return the folders beside one of masks that may hold its images: those called so, else the only one."""
        if (parent, masks) not in self._siblings:
            beside = sorted(self._below.get(parent, ()))
            called = [f for f in beside if set(tokens(f)) & _IMAGES]
            same = [f for f in called if _key(f) == _key(masks)]
            only = called if len(called) == 1 else beside if len(beside) == 1 else []
            self._siblings[parent, masks] = same or only
        return self._siblings[parent, masks]


def _key(folder: str) -> tuple[str, ...]:
    """Return the words of a folder's name that say neither image nor mask: ``train`` of ``train_masks``."""
    return tuple(w for w in tokens(folder) if w not in _MASKS and w not in _IMAGES)
