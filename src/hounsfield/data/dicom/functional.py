"""Functional groups of enhanced multi-frame objects: what holds for one frame, else for all, else for the file."""

from typing import TYPE_CHECKING

from hounsfield.data.dicom import values

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def group_of(dataset: "Dataset", number: int, keyword: str) -> "Dataset | None":
    """Return the item of a functional group macro for a frame.

    Parameters
    ----------
    dataset : Dataset
        Any data set; one without functional groups has no such item.
    number : int
        Which frame, from 0.
    keyword : str
        Keyword of the macro's sequence, such as ``PixelValueTransformationSequence``.

    Returns
    -------
    Dataset or None
        The frame's own item, else the shared one, else None.

    References
    ----------
    DICOM PS3.3 C.7.6.16.
    """
    own = values.items(dataset, "PerFrameFunctionalGroupsSequence")
    shared = values.items(dataset, "SharedFunctionalGroupsSequence")
    for group in (*own[number : number + 1], *shared[:1]):
        found = values.items(group, keyword)
        if found:
            return found[0]
    return None
