"""What every step runs in: command lines, errors, files, processes, and where a result came from."""
