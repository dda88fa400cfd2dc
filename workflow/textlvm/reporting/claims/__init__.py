"""Claims: what the papers state of their numbers, as data, and whether it holds of the numbers here."""
