# Functions for the inputs and parameters of the rules of the sentences paper.

from functools import cache

from textlvm.sentences import plan as sentences
from textlvm.sentences.relations import MEASURED
from textlvm.sentences.families import supplied

SENTENCES_RUN = "sentences/{dataset}/{run}"
SENTENCES = config["sentences"]
DATA_SETS = sentences.data_sets(EXPERIMENT.planned)


wildcard_constraints:
    dataset=any_of(DATA_SETS),


def of_questions():
    """The data sets of questions with ranked answers."""
    return [name for name, entry in DATA_SETS.items() if entry.is_of_questions]


def sentences_run(wildcards):
    """The run that a path belongs to."""
    return RUN_AT[SENTENCES_RUN.format(dataset=wildcards.dataset, run=wildcards.run)]


# ---- data sets


def data_folder(dataset):
    """The folder of a prepared data set, as an argument of a step."""
    return str(RESULTS / DATA_SETS[dataset].path)


@cache
def data_files(dataset):
    """The files of a prepared data set."""
    entry = DATA_SETS[dataset]
    return [f"<results>/{entry.path}/{file}" for file in sentences.files(entry)]


def dataset_sources(wildcards):
    """The sources of a data set: files of its corpus, or the data sets of a union."""
    entry = DATA_SETS[wildcards.dataset]
    files = [f"<resources>/downloads/{entry.corpus}/{source.name}" for source in entry.sources.values()]
    return files + [file for member in entry.members for file in data_files(member)]


def source_arguments(wildcards):
    """The same sources as arguments of the preparation, `train=FILE` or `ptb=FOLDER`."""
    entry = DATA_SETS[wildcards.dataset]
    files = zip(entry.sources, downloaded(entry.corpus, entry.sources.values()))
    return [f"{split}={file}" for split, file in files] + [
        f"{member}={data_folder(member)}" for member in entry.members
    ]


def dataset_settings(wildcards):
    """The settings that the preparation depends on."""
    return as_json(DATA_SETS[wildcards.dataset].settings)


def distinct_sentences(wildcards, output):
    """The number of distinct test sentences that the entropies of the runs on a data set require.

    This must not trigger a rerun of the preparation: Snakemake does not compare the value of a function that
    takes the output.
    """
    runs = [
        run for run in RUNS if run.dataset == wildcards.dataset and run.model.get("objective") in MEASURED
    ]
    return max((run.evaluation["entropy_neighbours"] + 1 for run in runs), default=1)


# ---- runs


def training_data(wildcards):
    """The data set that a run is trained on."""
    return data_files(wildcards.dataset)


def trained_folder(wildcards):
    """The folder of a run's settings and weights, as an argument of a step."""
    return str(RESULTS / sentences_run(wildcards).training_path / f"seed{wildcards.seed}")


def trained_files(wildcards):
    """The files with a run's settings and weights, which may have been trained on another data set."""
    folder = f"<results>/{sentences_run(wildcards).training_path}/seed{wildcards.seed}"
    return [f"{folder}/spec.json", f"{folder}/model.safetensors"]


def trained_dataset(wildcards):
    """The data set that a run was trained on."""
    return sentences_run(wildcards).trained_on or wildcards.dataset


def measured_datasets(wildcards):
    """The data sets on which a run was trained and is evaluated."""
    return list(dict.fromkeys((trained_dataset(wildcards), wildcards.dataset)))


def measured_data(wildcards):
    """The files of these data sets."""
    return [file for name in measured_datasets(wildcards) for file in data_files(name)]


def measured_arguments(wildcards):
    """The same data sets as arguments of an evaluation."""
    target = []
    if DATA_SETS[wildcards.dataset].is_of_questions:
        target = ["--questions", data_folder(wildcards.dataset)]
    elif sentences_run(wildcards).trained_on:
        target = ["--member", data_folder(wildcards.dataset)]
    return ["--data", data_folder(trained_dataset(wildcards)), *target]


def measured_sources(wildcards):
    """The source files of these data sets. They are not inputs, because they may be deleted after preparation."""
    parts = [part for name in measured_datasets(wildcards) for part in DATA_SETS[name].members or [name]]
    # A file can contain several splits, and a data set can be listed twice.
    paths = [
        path
        for part in parts
        for path in downloaded(DATA_SETS[part].corpus, DATA_SETS[part].sources.values())
    ]
    return list(dict.fromkeys(paths))


def supplied_model(wildcards):
    """The package and files that a published model finds: if they change, the row is evaluated again."""
    return supplied(sentences_run(wildcards).model)


def likelihood_settings(wildcards):
    """The settings for estimating the marginal likelihood of a run."""
    return as_json(SENTENCES["likelihood"])


def qualitative_settings(wildcards):
    """The settings of Tables 9-21 for a run's data set."""
    return as_json(SENTENCES["qualitative"] | SENTENCES["datasets"][wildcards.dataset].get("qualitative", {}))


# ---- figures and texts


SENTENCES_FIGURE = "sentences/figure{figure}"


def figure_title(wildcards):
    """The corpus or the data sets of a figure."""
    return figure_of(SENTENCES_FIGURE, wildcards).title


def figure_arguments(wildcards, input):
    """What a figure shows, and its source files, as arguments of a step."""
    match int(wildcards.figure):
        case 3:
            return ["pairs", "--histograms", *input, "--title", figure_title(wildcards)]
        case 4:
            folders = dict.fromkeys(str(Path(file).parent) for file in input)
            return ["lengths", "--data", *folders, "--title", "Sentence lengths"]
        case 5:
            references = [run.label for run in sentences.sample_runs(SENTENCES, RUNS, "reference")]
            return [
                *("samples", "--title", "MELBO and the size of the test set"),
                *("--histograms", *(file for file in input if file.endswith("histograms.json"))),
                *("--references", *(file for file in input if file.endswith("metrics.json"))),
                *("--reference-labels", *references),
            ]
        case _:
            return ["bounds", "--histograms", *input, "--title", figure_title(wildcards)]


def text_table(wildcards):
    """A table of texts of the plan."""
    return next(text for text in EXPERIMENT.texts if text.number == int(wildcards.table))


def text_title(wildcards):
    """The title of a table of texts."""
    return text_table(wildcards).title
