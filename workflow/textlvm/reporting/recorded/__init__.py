"""The page of all recorded experiments: what was compared, what came out, and how to repeat it."""
