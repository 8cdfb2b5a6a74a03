"""Sensitivity of a study: which uncertain numbers move its endpoints and its effect, and how far."""
