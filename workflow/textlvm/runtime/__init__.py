"""The runtime of every step: command lines, errors, files, processes and provenance."""

PARENT = "TEXTLVM_PARENT"
"""Environment variable of the steps that Snakemake starts: the id of a process that they must not outlive."""
