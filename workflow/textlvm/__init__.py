"""Two papers on text latent-variable models, regenerated table by table.

`corpora` turns sources into counts and sentences, `words` and `sentences` hold the two papers'
models, `training` trains any of them, `reporting` turns metrics into cells, tables and figures.
Nothing in the package knows Snakemake.
"""
