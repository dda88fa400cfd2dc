"""From metrics to cells, and from cells to tables and figures that compare with printed values."""
