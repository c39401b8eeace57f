"""The periods that pages offer, in days."""

PERIODS = (7, 30, 90, 365)
