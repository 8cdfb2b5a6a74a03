"""Fitting the model to published data, usual care before any cells."""
