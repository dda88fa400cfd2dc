"""Metrics to cells, cells to tables and figures, beside the published values."""
