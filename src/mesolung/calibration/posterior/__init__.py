"""The posterior: an ensemble of parameter draws carried through the stages of the ladder."""
