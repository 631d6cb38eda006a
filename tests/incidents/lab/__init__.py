"""The world: what is there, who is there, and what they ordinarily do."""
