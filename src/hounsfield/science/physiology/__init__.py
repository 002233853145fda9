"""What the body's signals say: beats, heart rate and its variability, intervals, blood pressure, signal quality.

Enters: arrays ``l t`` or ``t`` with their rate in Hz and their unit. Leaves: times in samples or seconds, and figures
with their unit. Nothing is read from files here and nothing is learned.
"""
