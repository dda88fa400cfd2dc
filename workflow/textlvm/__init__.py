"""Reproduction of the tables of two papers on latent variable models of text.

`corpora` converts sources to counts and sentences, `words` and `sentences` contain the models of the two
papers, `training` trains all models, and `reporting` converts metrics to cells, tables and figures. The
package does not depend on Snakemake.
"""
