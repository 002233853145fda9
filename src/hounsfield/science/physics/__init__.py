"""Forward models of imaging: phantoms, projection, noise and reconstruction of CT slices.

Enters: seeds, geometries, doses. Leaves: sinograms, images in Hounsfield units and their exact answers.
"""
