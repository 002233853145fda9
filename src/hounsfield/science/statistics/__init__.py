"""How well predictions answer the question, and how sure that statement is.

Truths, probabilities or numbers of samples, and the patients that they come from, enter.
Figures with patient-level intervals leave, and thresholds and temperatures as `fit -> JSON`, `apply`.
"""
