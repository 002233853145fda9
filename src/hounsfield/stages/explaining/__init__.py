"""Judge and show explanations: whether a map is better than random ones, points at the finding, and how it looks.

Enters: maps and curves as arrays, masks where there are any; nothing here runs a network.
Leaves: scores, an `Explanations` document, PNG pictures and one self-contained page in English and Chinese.
"""
