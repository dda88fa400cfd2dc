"""What a configuration asks for: its checks, its plan and the targets that a user may name."""
