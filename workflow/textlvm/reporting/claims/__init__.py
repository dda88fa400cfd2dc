"""Claims: the papers' statements about their numbers, and whether they hold for the reproduced numbers."""
