"""An experiment as a Provenance Run RO-Crate: one archive with what was found and how."""
