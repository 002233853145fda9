"""Where the packages for archives (`hounsfield[pacs]`) are missing, only what needs none of them is tested."""

from importlib.util import find_spec

collect_ignore = [
    name
    for name, package in (
        ("test_dimse.py", "pynetdicom"),
        ("test_orthanc.py", "pynetdicom"),
        ("test_dicomweb.py", "requests"),
        ("test_reached.py", "requests"),
        ("test_hostile.py", "requests"),
        ("test_hostile.py", "pynetdicom"),
    )
    if find_spec(package) is None
]
