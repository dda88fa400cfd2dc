"""From metrics to cells, and from cells to tables and figures with the printed values."""
