"""Livne, Swersky & Fleet (2020), "SentenceMIM: A Latent Variable Language Model"."""
