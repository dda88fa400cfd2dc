"""One trainer for every model: checkpoints, seeds, devices, progress."""
