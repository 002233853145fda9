"""Features that are computed, not trained: what oriented waves find in an image, and linear models on it.

Enters: normalised images; rows of features and their answers.
Leaves: features as a torch module; weights of linear and logistic models, their penalty chosen inside the rows given.
"""
