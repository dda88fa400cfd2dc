"""The trainer of all models: checkpoints, seeds, devices, progress."""
