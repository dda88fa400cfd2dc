"""The page of an experiment: all results in one HTML file that needs no network."""
