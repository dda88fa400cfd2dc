"""Schmidt & Hofmann (2018), "Deep State Space Models for Unconditional Word Generation"."""
