"""Readers of the files that a quality laboratory holds; what a number means is told elsewhere."""
