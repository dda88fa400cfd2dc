"""From sources to word counts, vocabularies and splits."""
