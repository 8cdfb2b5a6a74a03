"""Predictions of published studies, how well and against whom: scores, baselines, bias, register."""
