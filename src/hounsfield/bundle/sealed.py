"""The sealed bundle: a trained model as one folder that is checked byte by byte before it is used."""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import ValidationError

from hounsfield.bundle.atomic import storage_error, sync_folder, temp_sibling, write_bytes
from hounsfield.bundle.manifest import MANIFEST, Manifest, StoredMember, manifest_text, verified_files
from hounsfield.bundle.plans import parse_plan, plan_text
from hounsfield.bundle.tensors import damaged, decode_arrays, encode_arrays
from hounsfield.core.errors import BundleError, RunExistsError
from hounsfield.core.fingerprint import Fingerprint
from hounsfield.core.plan import Plan
from hounsfield.core.types import AnyArray, Json

_NAME = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}$")


@dataclass(frozen=True)
class Member:
    """One fitted learner.

    Parameters
    ----------
    learner : str
        Name in the table of learners.
    arrays : mapping of str to numpy.ndarray
        Weights.
    json : JSON value
        What else it needs to run.
    """

    learner: str
    arrays: Mapping[str, AnyArray] = field(repr=False)
    json: Json = None


@dataclass(frozen=True)
class BundleContents:
    """Everything that a bundle holds; nothing of a patient is in it.

    Parameters
    ----------
    members : tuple of Member
        Their predictions are averaged.
    plan : Plan
    fingerprint : Fingerprint
    documents : mapping of str to JSON value
        ``calibration``, ``operating_point``, ``guard``, ... by name (lower case, digits, ``_ - .``).
    arrays : mapping of str to mapping of str to numpy.ndarray
        Further arrays, such as those of the self-test.
    baselines : mapping of str to Member
        Cheap models on the same split.
    card : str
        The model card, Markdown.
    """

    members: tuple[Member, ...]
    plan: Plan
    fingerprint: Fingerprint
    documents: Mapping[str, Json] = field(default_factory=dict)
    arrays: Mapping[str, Mapping[str, AnyArray]] = field(default_factory=dict, repr=False)
    baselines: Mapping[str, Member] = field(default_factory=dict)
    card: str = ""


def seal(folder: Path, contents: BundleContents) -> None:
    """Write a bundle, whole or not at all.

    Parameters
    ----------
    folder : pathlib.Path
        Where the bundle will be. If the very same bundle lies there already, nothing is done.
    contents : BundleContents
        What it holds.

    Raises
    ------
    RunExistsError
        If the folder exists with another content.
    StorageError
        If the system refuses a write; nothing stays.
    ValueError
        If a name cannot be a file name, or a document holds NaN or infinity.

    Notes
    -----
    The same content gives the same bytes. The manifest's digests find damage; they are no signature against forgery.
    """
    files, manifest = _files(contents)
    manifest_bytes = manifest_text(manifest).encode()
    if folder.exists():
        kept = folder / MANIFEST
        if kept.is_file() and kept.read_bytes() == manifest_bytes:
            verified_files(folder)
            return
        raise RunExistsError(
            "A bundle lies there already.",
            expected="a folder that does not exist yet",
            next_step="choose another --out, or move the old bundle away",
        )
    temp = temp_sibling(folder)
    try:
        temp.mkdir(parents=True)
        for name, data in files.items():
            (temp / name).parent.mkdir(parents=True, exist_ok=True)
            write_bytes(temp / name, data)
        write_bytes(temp / MANIFEST, manifest_bytes)
        temp.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise storage_error("The bundle", error) from error
    finally:
        if temp.exists():
            shutil.rmtree(temp, ignore_errors=True)


def open_sealed(folder: Path) -> BundleContents:
    """Return what a bundle holds, after every byte of it was checked.

    Parameters
    ----------
    folder : pathlib.Path
        The bundle's folder; see `hounsfield.bundle.run_folder.find_bundle`.

    Raises
    ------
    BundleError
        If a file is damaged, missing, not listed, a link or outside the folder (the file is named), or the bundle was
        written by a newer Hounsfield.

    Notes
    -----
    Only safetensors, JSON, YAML and Markdown are read; nothing in a bundle is executed.
    """
    manifest, files = verified_files(folder)
    documents: dict[str, Json] = {}
    extra: dict[str, dict[str, AnyArray]] = {}
    for name, data in files.items():
        room, _, rest = name.partition("/")
        if room == "documents":
            documents[rest.removesuffix(".json")] = _json(data, name)
        elif room == "arrays":
            extra[rest.removesuffix(".safetensors")] = decode_arrays(data, name)[0]
    try:
        return BundleContents(
            members=tuple(_member(stored, files) for stored in manifest.members),
            plan=parse_plan(files["plan.yaml"].decode(), "plan.yaml of the bundle"),
            fingerprint=Fingerprint.model_validate_json(files["fingerprint.json"]),
            documents=documents,
            arrays=extra,
            baselines={name: _member(stored, files) for name, stored in manifest.baselines.items()},
            card=files["card.md"].decode(),
        )
    except KeyError as error:
        raise BundleError(
            f"The bundle lacks {error.args[0]}.", expected="a bundle as Hounsfield wrote it", next_step="copy it again"
        ) from error
    except ValidationError as error:
        raise damaged("fingerprint.json") from error


def _files(contents: BundleContents) -> tuple[dict[str, bytes], Manifest]:
    files: dict[str, bytes] = {
        "plan.yaml": plan_text(contents.plan).encode(),
        "fingerprint.json": (contents.fingerprint.model_dump_json(indent=1) + "\n").encode(),
        "card.md": contents.card.encode(),
    }
    for name, document in contents.documents.items():
        files[f"documents/{_file_name(name)}.json"] = _json_bytes(document, name)
    for name, arrays in contents.arrays.items():
        files[f"arrays/{_file_name(name)}.safetensors"] = encode_arrays(arrays)
    members = []
    for place, member in enumerate(contents.members):
        members.append(StoredMember(learner=member.learner, file=f"members/{place}.safetensors"))
        files[members[-1].file] = encode_arrays(member.arrays, member.json)
    baselines = {}
    for name, member in contents.baselines.items():
        baselines[name] = StoredMember(learner=member.learner, file=f"baselines/{_file_name(name)}.safetensors")
        files[baselines[name].file] = encode_arrays(member.arrays, member.json)
    manifest = Manifest.of(files, hounsfield=_own_version(), members=tuple(members), baselines=baselines)
    return files, manifest


def _member(stored: StoredMember, files: Mapping[str, bytes]) -> Member:
    arrays, meta = decode_arrays(files[stored.file], stored.file)
    return Member(learner=stored.learner, arrays=arrays, json=meta)


def _json(data: bytes, name: str) -> Json:
    try:
        value: Json = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged(name) from error
    return value


def _json_bytes(document: Json, name: str) -> bytes:
    try:
        return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
    except ValueError as error:
        raise ValueError(f"Document {name!r} of the bundle holds NaN or infinity, which JSON cannot.") from error


def _file_name(name: str) -> str:
    if not _NAME.match(name):
        raise ValueError(f"{name!r} cannot be a name in a bundle: lower case, digits, '_', '-' and '.' only.")
    return name


def _own_version() -> str:
    try:
        return version("hounsfield")
    except PackageNotFoundError:
        return "unknown"


def bundle_digest(folder: Path) -> str:
    """Return the SHA-256 of a bundle's manifest: two bundles with the same digest hold the same bytes."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
