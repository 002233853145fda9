"""What the field knows, without torch: physics of imaging, measurement and statistics.

Enters: plain arrays with their units, a generator where something is drawn. Leaves: arrays, numbers, fitted values.
"""
