"""Runs Orthanc and what is asked of it in a network namespace of its own; says why where that is not possible."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from tests.data_room.pacs.orthanc_child import PLUGIN

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("HOUNSFIELD_DATA", ROOT.parent / "shared/data"))
CORPUS = DATA / "dicom-corpus" / "transfer-syntax"
Found = Mapping[str, object]
WITHIN = 240.0


def lacking() -> str:
    """Return what is missing for a test with Orthanc, empty where nothing is."""
    if shutil.which("Orthanc") is None or not PLUGIN.exists():
        return "Orthanc with its DICOMweb plugin is not installed (Debian: orthanc orthanc-dicomweb)"
    tool = shutil.which("unshare")
    if tool is None:
        return "unshare is not installed (Debian: util-linux)"
    tried = subprocess.run([tool, "-n", "ip", "link"], capture_output=True, check=False, timeout=10)
    return "" if tried.returncode == 0 else "a network namespace cannot be made here (unshare -n: root is needed)"


def travelled(folder: Path, *journeys: str) -> Mapping[str, Found]:
    """Return what happened in the namespace, journey by journey; all of them if none is named."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        "HOUNSFIELD_TEST_CORPUS": str(CORPUS) if CORPUS.is_dir() else "",
    }
    with subprocess.Popen(
        ["unshare", "-n", sys.executable, "-m", "tests.data_room.pacs.orthanc_child", str(folder), *journeys],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment,
        text=True,
    ) as child:
        try:
            out, errors = child.communicate(timeout=WITHIN)
        except subprocess.TimeoutExpired:
            child.terminate()  # the child stops its Orthanc on the way out
            child.communicate(timeout=30)
            raise
    assert child.returncode == 0, errors[-3000:]
    return cast("Mapping[str, Found]", json.loads(out))
