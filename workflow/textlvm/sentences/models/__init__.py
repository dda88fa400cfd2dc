"""Models and objectives of the sentences paper."""
