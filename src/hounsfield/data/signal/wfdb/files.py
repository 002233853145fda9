"""Which files a WFDB record consists of."""

from pathlib import Path

from hounsfield.core.cohort import Ref
from hounsfield.data.files import inside
from hounsfield.data.signal.wfdb.header import parse_header


def record_paths(root: Path, ref: Ref) -> tuple[Path, ...]:
    """Return header, signal files and segments of a record, and the annotations where the ref names them.

    Raises
    ------
    ReadError
        If a header cannot be read.
    """
    head = inside(root, ref.path)
    folder = ref.path[: ref.path.rfind("/") + 1]
    text = parse_header(head, ref)
    found = [head]
    for name in dict.fromkeys(n for n, _ in text.segments if n != "~"):
        found += record_paths(root, Ref("wfdb", f"{folder}{name}.hea")) if name != head.stem else ()
    found += [inside(root, f"{folder}{s.file}") for s in text.signals if s.file != "~"]
    ending = dict(ref.part).get("annotations")
    if ending is not None:
        found.append(head.with_name(f"{head.name[: -len('.hea')]}.{ending}"))
    return tuple(dict.fromkeys(found))
