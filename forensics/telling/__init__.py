"""Tell: what was found, to people and to other programs. Nothing is computed here that is not in the findings or the tables."""
