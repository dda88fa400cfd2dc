"""The experiment that a configuration describes: its checks, its plan and its targets."""
