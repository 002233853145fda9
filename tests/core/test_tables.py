"""Tables name parts and import them only when asked."""

import subprocess
import sys
from collections import Counter, OrderedDict

import pytest

from hounsfield.core.errors import UnknownNameError
from hounsfield.core.tables import Table

TABLE = Table("container", {"counter": "collections:Counter", "ordered": "collections:OrderedDict"})


def test_resolves_what_a_line_names() -> None:
    assert TABLE.resolve("counter") is Counter
    assert TABLE.resolve("ordered") is OrderedDict


def test_lists_names_in_table_order() -> None:
    assert TABLE.names() == ("counter", "ordered") == tuple(TABLE)
    assert "counter" in TABLE
    assert "deque" not in TABLE


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="'counter'"):
        TABLE.resolve("countr")


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys; from hounsfield.core.tables import Table; "
        "t = Table('k', {'x': 'colorsys:rgb_to_hsv'}); before = 'colorsys' in sys.modules; t.resolve('x'); "
        "sys.exit(0 if not before and 'colorsys' in sys.modules else 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
