"""The page of all recorded experiments: comparisons, results and the commands that reproduce them."""
