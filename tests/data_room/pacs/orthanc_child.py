"""Runs inside a network namespace of its own: Orthanc, and everything that is asked of it; prints JSON.

Started by ``namespace.py`` as ``unshare -n python -m tests.data_room.pacs.orthanc_child FOLDER``. Orthanc 1.10.1
listens on all interfaces, so that neither it nor its clients have any but this namespace's loopback.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import cast

import pydicom

from hounsfield.core.errors import HounsfieldError
from hounsfield.data.pacs.arrivals import hashed
from hounsfield.data.pacs.outgoing import files_below
from hounsfield.data.pacs.part10 import is_part10
from hounsfield.workflow.archives import Access
from hounsfield.workflow.demo import write_cohort
from hounsfield.workflow.pulling import pull
from hounsfield.workflow.pushing import push
from hounsfield.workflow.transfers import Transfer
from tests.data_room.pacs.making import write_studies

HTTP, DICOM, OURS = 8042, 4242, 11112
USER, PASSWORD = "reader", "only-for-this-test"
URL, AET = f"http://127.0.0.1:{HTTP}/dicom-web", f"ORTHANC@127.0.0.1:{DICOM}"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
STARTS_WITHIN = 30.0
ANYTHING = "PatientID=*"

Journey = Callable[[Path, "Reach"], dict[str, object]]


class Reach:
    """How the server is reached, by each protocol."""

    def __init__(self, folder: Path) -> None:
        self.secret = folder / "secret"
        self.secret.write_text(PASSWORD + "\n")
        self.web = Access(user=USER, password_file=self.secret)
        self.get = Access(retrieve="get")
        self.move = Access(retrieve="move", port=OURS, bind="127.0.0.1")

    def ways(self) -> dict[str, tuple[str, Access]]:
        """Return each way to pull: target and access."""
        return {"dicomweb": (URL, self.web), "get": (AET, self.get), "move": (AET, self.move)}


def rest(path: str, method: str = "GET") -> object:
    """Ask Orthanc's own interface, which is not DICOM's: the independent witness."""
    asked = urllib.request.Request(f"http://127.0.0.1:{HTTP}{path}", method=method)
    asked.add_header("Authorization", "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
    with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310 our own server
        return json.loads(answer.read() or b"null")


def emptied() -> None:
    """Delete all that Orthanc has."""
    for patient in cast("list[str]", rest("/patients")):
        rest(f"/patients/{patient}", "DELETE")


def started(folder: Path) -> subprocess.Popen[bytes]:
    """Start Orthanc with authentication on, and wait until it answers."""
    settings = {
        "Name": "test",
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "Plugins": [str(PLUGIN)],
        "RemoteAccessAllowed": True,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "HttpPort": HTTP,
        "DicomAet": "ORTHANC",
        "DicomPort": DICOM,
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowEcho": True,
        "DicomScuTimeout": 60,  # a busy machine may leave us waiting for the processor
        "DicomModalities": {"ours": ["HOUNSFIELD", "127.0.0.1", OURS]},
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        server = subprocess.Popen(["Orthanc", str(folder / "orthanc.json")], stdout=log, stderr=log)
    begun = time.monotonic()
    while time.monotonic() - begun < STARTS_WITHIN and server.poll() is None:
        with suppress(urllib.error.URLError, ConnectionError):
            rest("/system")
            return server
        time.sleep(0.1)
    server.kill()
    raise RuntimeError("Orthanc did not start")


def said(transfer: Transfer) -> dict[str, object]:
    """Return what is compared of a transfer."""
    return {k: v for k, v in transfer.model_dump(mode="json").items() if k not in ("seconds", "schema_version")}


def stored(folder: Path) -> dict[str, bytes]:
    """Return the pulled files' data sets without preamble and meta group, by SOP Instance UID."""
    found = {}
    for path in sorted(p for p in folder.rglob("*.dcm") if p.is_file()):
        header = pydicom.dcmread(path)
        content = path.read_bytes()
        found[str(header.SOPInstanceUID)] = content[144 + header.file_meta.FileMetaInformationGroupLength :]
    return found


def bare(content: bytes) -> bytes:
    """Return a file without preamble and meta group."""
    return content[144 + int.from_bytes(content[140:144], "little") :]


def dicom_files(folder: Path) -> list[Path]:
    """Return the files that begin as DICOM files do."""
    return [path for path in files_below(folder) if is_part10(path.read_bytes()[:132])]


def error(work: Callable[[], object]) -> str:
    """Return the message of the error that `work` has to end with."""
    try:
        work()
    except HounsfieldError as raised:
        return raised.message()
    return "no error"


def both_protocols(folder: Path, reach: Reach) -> dict[str, object]:
    """Push by one protocol, pull by all; push and pull again; go on after a part was lost."""
    found: dict[str, object] = {}
    made = write_studies(folder / "made")
    for name, target, access in (("dimse", AET, Access()), ("dicomweb", URL, reach.web)):
        emptied()
        found[f"push {name}"] = said(push(folder / "made", target, access=access))
        found[f"push {name} again"] = said(push(folder / "made", target, access=access))
        found[f"there after {name}"] = cast("dict[str, object]", rest("/statistics"))["CountInstances"]
    for name, (target, access) in reach.ways().items():
        out = folder / f"pulled-{name}"
        found[f"pull {name}"] = said(pull(target, out, query=ANYTHING, access=access))
        came = stored(out)
        found[f"same data sets {name}"] = came == {uid: bare(content) for uid, content in made.items()}
        found[f"same files {name}"] = sorted(p.read_bytes() for p in out.rglob("*.dcm")) == sorted(made.values())
        found[f"names {name}"] = {p.stem for p in out.rglob("*.dcm")} == {hashed(uid) for uid in made}
        lost = sorted(out.rglob("*.dcm"))[1]
        lost.unlink()
        found[f"pull {name} again"] = said(pull(target, out, query=ANYTHING, access=access))
        found[f"complete {name}"] = len(stored(out)) == len(made)
    return found


def queries(folder: Path, reach: Reach) -> dict[str, object]:
    """Ask by dates, accession and series."""
    found: dict[str, object] = {}
    asked = {
        "date": "StudyDate=20240201-20240331",
        "accession": "AccessionNumber=ACC000",
        "series": "Modality=CT SeriesNumber=2",
        "wildcard": "PatientID=PAT00?",
    }
    for way, (target, access) in reach.ways().items():
        for name, query in asked.items():
            done = pull(target, folder / f"asked-{way}-{name}", query=query, access=access)
            found[f"{way} {name}"] = [done.studies, done.series, done.moved]
        found[f"{way} none"] = error(partial(pull, target, folder / "none", query="Modality=MR", access=access))
    return found


def refusals(folder: Path, reach: Reach) -> dict[str, object]:
    """Ask with something wrong each time."""
    wrong = folder / "wrong"
    wrong.write_text("wrong")
    out = folder / "refused"

    def asked(target: str, access: Access) -> str:
        return error(lambda: pull(target, out, query=ANYTHING, access=access))

    return {
        "no user": asked(URL, Access()),
        "wrong password": asked(URL, Access(user=USER, password_file=wrong)),
        "wrong path": asked(f"http://127.0.0.1:{HTTP}/nothing", reach.web),
        "no such port": asked("http://127.0.0.1:9/dicom-web", reach.web),
        "no such aet": asked(f"NOBODY@127.0.0.1:{DICOM}", Access()),
        "caller unknown": asked(AET, Access(aet="STRANGER")),
        "no such dicom port": asked("ORTHANC@127.0.0.1:9", Access()),
        "not dicom": asked(f"ORTHANC@127.0.0.1:{HTTP}", Access()),
        "destination unknown": error(
            lambda: pull(AET, out, query=ANYTHING, access=Access(aet="STRANGER", retrieve="move", bind="127.0.0.1"))
        ),
        "wrong own port": error(
            lambda: pull(AET, out, query=ANYTHING, access=Access(retrieve="move", port=11999, bind="127.0.0.1"))
        ),
        "files": len(list(out.rglob("*.dcm"))) if out.exists() else 0,
    }


def compressed(folder: Path, reach: Reach) -> dict[str, object]:
    """Push files of the corpus in many transfer syntaxes, HTJ2K among them; the rest must go on."""
    corpus = os.environ.get("HOUNSFIELD_TEST_CORPUS", "")
    if not corpus:
        return {}
    emptied()
    found: dict[str, object] = {}
    found["push"] = said(push(Path(corpus), AET))
    found["there"] = cast("dict[str, object]", rest("/statistics"))["CountInstances"]
    sent = {encoding(pydicom.dcmread(path)) for path in dicom_files(Path(corpus))}
    for way, (target, access) in reach.ways().items():
        out = folder / f"compressed-{way}"
        found[f"pull {way}"] = said(pull(target, out, query=ANYTHING, access=access))
        came = {encoding(pydicom.dcmread(path)) for path in out.rglob("*.dcm")}
        found[f"same pixels {way}"] = len(came) > 30 and came <= sent
    return found


def encoding(one: pydicom.Dataset) -> tuple[str, str, bytes]:
    """Return what must not change on the way: instance, transfer syntax, and the pixels as they are encoded."""
    return str(one.SOPInstanceUID), str(one.file_meta.TransferSyntaxUID), bytes(one.get("PixelData", b""))


def demo_cohort(folder: Path, reach: Reach) -> dict[str, object]:
    """Send the demo's disk to Orthanc and fetch it back; what follows (de-identify, train) begins with `back`."""
    emptied()
    write_cohort(folder / "demo", patients=20, slices=2, size=48)
    sent = {str(one.SOPInstanceUID): one for one in map(pydicom.dcmread, dicom_files(folder / "demo"))}
    pushed = push(folder / "demo", URL, access=reach.web)
    back = folder / "demo-back"
    pulled = pull(AET, back, query="PatientID=P* Modality=CT", access=reach.get)
    came = {str(one.SOPInstanceUID): one for one in map(pydicom.dcmread, dicom_files(back))}
    return {
        "files": len(sent),
        "moved": [pushed.moved, pulled.moved],
        "failed": [f.reason for f in (*pushed.failed, *pulled.failed)],
        "pixels": sum(came[uid].PixelData == sent[uid].PixelData for uid in came),
    }


def interrupted(folder: Path, reach: Reach) -> dict[str, object]:
    """Kill a push and pulls in the middle, and type the same command again."""
    emptied()
    made = write_studies(folder / "many", studies=2, series=2, slices=8, size=64)
    hu, rate = [sys.executable, "-m", "hounsfield.cli"], ["--rate", "10"]
    killed([*hu, "push", str(folder / "many"), AET, *rate], lambda: int(str(counted())) >= 4, signal.SIGKILL)
    there = int(str(counted()))
    done = push(folder / "many", AET)
    found: dict[str, object] = {"push": [4 <= there < len(made), done.moved + there, done.present == there, counted()]}
    web = ["--user", USER, "--password-file", str(reach.secret)]
    for way, number in (
        ("dicomweb", signal.SIGKILL),
        ("get", signal.SIGKILL),
        ("get", signal.SIGINT),
        ("move", signal.SIGINT),
    ):
        target, access = reach.ways()[way]
        out = folder / f"interrupted {way} {number.name}"
        command = [*hu, "pull", target, str(out), "--query", ANYTHING, *rate]
        command += web if way == "dicomweb" else ["--retrieve", way]
        code, said_last = killed(command, partial(come, out), number)
        (out / f".{'0' * 20}.dcm.999999999-7.tmp").write_bytes(b"half")
        before = [bare(p.read_bytes()) for p in out.rglob("*.dcm")]
        again = pull(target, out, query=ANYTHING, access=access)
        found[f"{way} {number.name}"] = {
            "code": code,
            "said": "Type the same command again" in said_last,
            "partly": 4 <= len(before) < len(made),
            "whole": set(before) <= {bare(content) for content in made.values()},
            "rest": [again.moved + len(before), again.present == len(before)],
            "left over": [p.name for p in out.rglob(".*")],
        }
    return found


def come(out: Path) -> bool:
    """Tell whether a few files have come."""
    return len(list(out.rglob("*.dcm"))) >= 4


def counted() -> object:
    """Return how many instances Orthanc has."""
    return cast("dict[str, object]", rest("/statistics"))["CountInstances"]


def killed(command: list[str], ready: Callable[[], bool], number: signal.Signals) -> tuple[int, str]:
    """Run a command, send it a signal when it has come so far; return its exit code and what it said."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        begun = time.monotonic()
        while not ready() and child.poll() is None and time.monotonic() - begun < 60:
            time.sleep(0.02)
        child.send_signal(number)
        _, errors = child.communicate(timeout=60)
        return child.returncode, errors


JOURNEYS: dict[str, Journey] = {
    "both protocols": both_protocols,
    "queries": queries,
    "refusals": refusals,
    "compressed": compressed,
    "demo": demo_cohort,
    "interrupted": interrupted,
}


def main() -> None:
    """Bring the loopback up, start Orthanc, run the journeys, stop Orthanc by its process id."""
    folder = Path(sys.argv[1])
    subprocess.run([shutil.which("ip") or "/usr/sbin/ip", "link", "set", "lo", "up"], check=True, timeout=10)
    server = started(folder)
    found: dict[str, object] = {}
    try:
        reach = Reach(folder)
        for name in sys.argv[2:] or JOURNEYS:
            found[name] = JOURNEYS[name](folder, reach)
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(timeout=10)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
