"""A product lot: what is known of it, and what the body receives."""
