"""How well masks are drawn, on each data set under its budget."""
