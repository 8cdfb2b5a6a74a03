"""Trials on arrays: allocation, outcomes, endpoints, analyses; nothing here reads or writes a file."""
