"""Data sets of the sentences paper, from a corpus's files to batches."""
