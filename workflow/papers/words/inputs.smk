# Functions for the inputs and parameters of the rules of the words paper.

WORDS_RUN = "words/{corpus}/{split}/{run}"


def corpus_files(wildcards):
    """The files, or the folder, whose words were counted. They are not inputs: they may be deleted after counting."""
    if folder := folder_of(wildcards):
        return [str(folder)]
    return downloaded(wildcards.corpus, CORPORA[wildcards.corpus].files)


def run_on(wildcards):
    """Any run on a split; the properties used here are the same for all of them."""
    return next(run for run in RUNS if (run.paper, run.split) == ("words", wildcards.split))


def split_name(wildcards):
    """The split of which a folder contains a draw."""
    return run_on(wildcards).draw_of or wildcards.split


def split_settings(wildcards):
    """The settings for drawing a split."""
    return as_json(run_on(wildcards).data["split"])


def character_models(files):
    """The character models as arguments, `3=char3.arpa 5=char5.arpa`."""
    return [f"{order}={path}" for order, path in zip(config["words"]["ngram"]["orders"], files)]
