"""What may not leave the hospital: rules, pseudonyms, text in pixels, and a second look that knows no format.

Enters: values, pixels and bytes.
Leaves: what replaces them, and what was still found.
"""
