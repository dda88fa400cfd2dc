"""An experiment as a Provenance Run RO-Crate: one archive with its results and their provenance."""
