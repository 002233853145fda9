"""Forecasts with a causal recurrent network: quantiles of what comes, at each step of a series.

Enters: courses (variables at times), what is asked of one variable. Leaves: a forecaster as data and arrays; quantiles
that depend on nothing later than the step they are said at.
"""
