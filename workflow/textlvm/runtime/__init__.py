"""The runtime of every step: command lines, errors, files, processes and provenance."""
