"""Balance against suppression: what a therapy takes from inflammation, and what from the defence."""
