"""The manifest of a bundle: which files it has, and the digest of each."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from hounsfield.bundle.tensors import damaged, newer
from hounsfield.core.errors import BundleError

MANIFEST = "manifest.json"
_SCHEMA_VERSION = 1
_LARGEST_MANIFEST_BYTES = 16 * 2**20
_SAFE = re.compile(r"^(?:[a-z0-9][a-z0-9_.-]*/){0,2}[a-z0-9][a-z0-9_.-]*\.(?:safetensors|json|yaml|md)$")


class StoredFile(BaseModel):
    """One file: its SHA-256 in hexadecimal digits and its size."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sha256: str
    bytes: int


class StoredMember(BaseModel):
    """One fitted learner: its name in the table of learners, and its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    learner: str
    file: str


class Manifest(BaseModel):
    """What ``manifest.json`` holds.

    Attributes
    ----------
    hounsfield : str
        Version that wrote the bundle.
    files : dict of str to StoredFile
        Every file but the manifest itself.
    members : tuple of StoredMember
    baselines : dict of str to StoredMember
    digest : str
        SHA-256 of the manifest without this line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    hounsfield: str
    files: dict[str, StoredFile]
    members: tuple[StoredMember, ...]
    baselines: dict[str, StoredMember] = {}
    digest: str = ""

    @classmethod
    def of(
        cls,
        files: Mapping[str, bytes],
        *,
        hounsfield: str,
        members: tuple[StoredMember, ...],
        baselines: dict[str, StoredMember],
    ) -> Self:
        """Return the manifest of the given files."""
        stored = {
            name: StoredFile(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data)) for name, data in files.items()
        }
        bare = cls(hounsfield=hounsfield, files=stored, members=members, baselines=baselines)
        return bare.model_copy(update={"digest": _digest(bare)})


def manifest_text(manifest: Manifest) -> str:
    """Return the one text that a manifest may have in its file."""
    return json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"


def verified_files(folder: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Return a bundle's manifest and the content of all its files, each checked.

    Raises
    ------
    BundleError
        See `hounsfield.bundle.sealed.open_sealed`.
    """
    manifest = _read_manifest(folder)
    present = _present(folder)
    listed = set(manifest.files)
    for name in sorted(listed):
        if not _SAFE.match(name):
            raise damaged(MANIFEST)
    for name in sorted(listed - present):
        raise BundleError(
            f"The bundle lacks {name}.", expected="every file that its manifest lists", next_step="copy it again, whole"
        )
    for name in sorted(present - listed - {MANIFEST}):
        raise BundleError(
            f"The bundle has the file {name}, which its manifest does not list.",
            expected="no file but those that Hounsfield wrote",
            next_step="take that file out of the bundle",
        )
    files = {}
    for name, stored in manifest.files.items():
        if (folder / name).stat().st_size != stored.bytes:
            raise damaged(name)
        data = _bytes(folder / name, name)
        if hashlib.sha256(data).hexdigest() != stored.sha256:
            raise damaged(name)
        files[name] = data
    return manifest, files


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if path.is_symlink():
        raise _link(MANIFEST)
    if not path.is_file():
        raise BundleError(
            "This is not a bundle: there is no manifest.json in it.",
            expected="the bundle/ folder of a run",
            next_step="give the folder that hu train wrote",
        )
    if path.stat().st_size > _LARGEST_MANIFEST_BYTES:
        raise damaged(MANIFEST)
    data = _bytes(path, MANIFEST)
    try:
        value = json.loads(data)
        found = value["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged(MANIFEST) from error
    if isinstance(found, int) and not isinstance(found, bool) and found > _SCHEMA_VERSION:
        raise newer("The bundle", found)
    try:
        manifest = Manifest.model_validate(value)
    except ValidationError as error:
        raise damaged(MANIFEST) from error
    # the text is compared too, so that no byte of it can change unseen
    if manifest.digest != _digest(manifest) or manifest_text(manifest).encode() != data:
        raise damaged(MANIFEST)
    return manifest


def _present(folder: Path) -> set[str]:
    """Return the files of a bundle, relative; links are refused before anything is followed."""
    present: set[str] = set()
    waiting = [folder]
    while waiting:
        for entry in waiting.pop().iterdir():
            name = entry.relative_to(folder).as_posix()
            if entry.is_symlink():
                raise _link(name)
            if entry.is_dir():
                waiting.append(entry)
            else:
                present.add(name)
    return present


def _bytes(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{name} of the bundle cannot be read.", expected="a readable file", next_step="check its permissions"
        ) from error


def _link(name: str) -> BundleError:
    return BundleError(
        f"{name} of the bundle is a link.",
        expected="plain files only: a link could lead outside the bundle",
        next_step="copy the bundle again from the original",
    )


def _digest(manifest: Manifest) -> str:
    plain = manifest.model_dump(mode="json", exclude={"digest"})
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
