"""The formulas of the explanation pages in plain NumPy: what pages show, and what tests check the code against."""
