"""The road of answers for every voxel: planned, fitted, judged, given."""
