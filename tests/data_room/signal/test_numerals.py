"""What a comma in a number is, judged by the whole column."""

import pytest

from hounsfield.data.signal.numerals import column_numbers


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (("1,234", "987.5"), (1234, 987.5)),
        (("1,234", "7,35"), (1.234, 7.35)),
        (("1,234", "12"), (1.234, 12)),
        (("0,123", "0.5"), (0.123, 0.5)),
        (("-1,234,567", "12"), (-1234567, 12)),
        (("1,234.5", None, "x"), (1234.5, None, None)),
        (("12,34", "1.5"), (12.34, 1.5)),
        (("1,234", "1,5", "2.5"), (1.234, 1.5, 2.5)),
        (("5", "", None), (5, None, None)),
    ],
)
def test_a_comma_is_the_same_in_all_cells(cells: tuple[str | None, ...], numbers: tuple[float | None, ...]) -> None:
    assert column_numbers(cells) == list(numbers)
