"""The road of answers that lie in the future of the series itself."""
