"""Runnable examples, one file per way in."""
