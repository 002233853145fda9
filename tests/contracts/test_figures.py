"""The READMEs' figures are those that a run wrote."""

import pytest
from benchmarks.cells import TOP
from benchmarks.tables import PAGES, filled


@pytest.mark.parametrize("page", PAGES)
def test_readme_tables_come_from_the_results(page: str) -> None:
    assert (TOP / page).read_text(encoding="utf-8") == filled(page)
