"""The page of an experiment: all that it found, in one HTML file that needs no network."""
