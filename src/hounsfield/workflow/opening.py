"""Open a bundle, wherever in a run folder it was pointed at."""

from pathlib import Path

from hounsfield.bundle.run_folder import find_bundle
from hounsfield.bundle.sealed import BundleContents, open_sealed


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
