"""A sponsor's own data joined with what is stored: borrowed, weighed, tested for conflict, and recorded."""
