"""Forecasts of a series: what is asked of the future, cheap baselines, readings made from generated pressure.

Enters: readings and when they were taken. Leaves: truths, forecasts, quantiles; never anything later than asked at.
"""

from hounsfield.core.tables import Table

FORECAST_BASELINES = Table(
    "forecast baseline",
    {
        "last-value": "hounsfield.science.forecasting.last_value:LastValue",
        "smoothing": "hounsfield.science.forecasting.smoothing:Smoothing",
        "autoregression": "hounsfield.science.forecasting.autoregression:Autoregression",
    },
)
"""Cheap forecasts by name; adding one is a file and a line here."""
