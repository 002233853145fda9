"""Open a bundle, wherever in a run folder it was pointed at, or one fold's model in it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hounsfield.bundle.run_folder import find_bundle
from hounsfield.bundle.sealed import BundleContents, open_sealed
from hounsfield.learn.merge import MERGE, merge_of
from hounsfield.learn.model import SELF_TEST


def open_bundle(path: str | Path) -> BundleContents:
    """Return the verified contents of a run folder's bundle, or of a bundle itself.

    Raises
    ------
    BundleError
        If there is none, it is damaged, or of a future version.
    """
    return open_sealed(find_bundle(Path(path)))


def ensemble_baselines(contents: BundleContents) -> list[str]:
    """Return the names of the baselines in a bundle."""
    return sorted({name.rsplit(".", 1)[0] for name in contents.baselines})


def of_fold(contents: BundleContents, fold: int, baselines: Sequence[str] = ()) -> BundleContents:
    """Return the model of one fold alone: what has not seen the samples held out of it; the whole bundle for -1.

    Parameters
    ----------
    contents : BundleContents
    fold : int
    baselines : sequence of str
        Baselines that it shall have beside it, by name.
    """
    if fold < 0:
        return contents
    merge, documents = merge_of(contents), dict(contents.documents)
    places = merge.members(fold) if merge is not None else [fold]
    if merge is not None:
        documents[MERGE] = merge.of(fold).model_dump(mode="json")
    return replace(
        contents,
        members=tuple(contents.members[place] for place in places),
        arrays={k: v for k, v in contents.arrays.items() if k != SELF_TEST},
        baselines={name: contents.baselines[f"{name}.{fold}"] for name in baselines},
        documents=documents,
    )
