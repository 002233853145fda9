"""Public signals written once in plain formats."""
