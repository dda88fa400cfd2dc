"""Data sets of the sentences paper, from the files of a corpus to batches."""
