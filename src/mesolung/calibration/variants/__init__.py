"""Decisions of those who plan a trial, by what carries the effect: which variant each hangs on."""
