"""The experiment that the tests of whole runs break, and one copy of it that nothing disturbed."""

import pytest

import tiny


@pytest.fixture(scope="session")
def new_experiment(new_project):
    """Makes projects with few runs of both papers, in folders of their own or a given one."""

    def copy(root=None):
        project = new_project(root)
        tiny.write(project.root, tiny.words, tiny.sentences)
        tiny.change(project.root, "words", few_words)
        tiny.change(project.root, "sentences", few_sentences)
        return project

    return copy


def few_words(section):
    runs = section["runs"]["standard"]
    section["runs"] = {"standard": {name: runs[name] for name in ("tril", "baseline-8d", "oracle")}}
    section["figures"]["training_run"] = "tril"


def few_sentences(section):
    svae, smim = (section["runs"]["ptb"][name] for name in ("svae", "smim"))
    pairs = {"ptb": {"svae": svae, "smim": smim}, "yelp15": {"smim": smim}, "yahoo": {"smim": smim}}
    answers = {"ap-bilstm": section["runs"]["yahoocqa"]["ap-bilstm"]}
    del section["datasets"]["everything"]
    section |= {
        "runs": pairs | {"yahoocqa": answers},
        "collected": {},
        "texts": {"table12": {"dataset": "ptb", "runs": ["smim"]}},
    }
    section["figures"]["bounds"] = {dataset: list(runs) for dataset, runs in pairs.items()}


@pytest.fixture(scope="session")
def finished(new_experiment):
    """A project in which everything has been run, one job at a time."""
    project = new_experiment()
    project.run("snakemake --cores 1", env={"PYTHONHASHSEED": "1"})
    return project
