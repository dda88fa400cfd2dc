# What the rules of the sentences paper take their inputs and parameters from, beside common.smk.

from textlvm.experiment.relations.sentences import MEASURED

SPLITS = ["train", "valid", "test"]
ARRAYS = [f"{split}.{kind}.npy" for split in SPLITS for kind in ("tokens", "offsets")]


# ---- data sets


def of_questions():
    """The data sets of questions with ranked answers."""
    return [name for name, own in DATA_SETS.items() if own.is_of_questions]


def data_folder(dataset):
    """The folder of a prepared data set, as a command line takes it."""
    return str(RESULTS / DATA_SETS[dataset].path)


@cache
def data_files(dataset):
    """The files of a prepared data set."""
    files = ["questions.json"] if DATA_SETS[dataset].is_of_questions else ARRAYS
    return expand(
        "<results>/{path}/{file}",
        path=DATA_SETS[dataset].path,
        file=["statistics.json", "vocabulary.tsv", *files],
    )


def members(dataset):
    """The data sets that a union is made of."""
    return DATA_SETS[dataset].settings.get("union", [])


def dataset_sources(wildcards):
    """What a data set is made from: files of its corpus, or the data sets of a union."""
    corpus = DATA_SETS[wildcards.dataset].corpus
    files = [
        f"<resources>/downloads/{corpus}/{source.name}" for source in SOURCES[wildcards.dataset].values()
    ]
    return files + [file for member in members(wildcards.dataset) for file in data_files(member)]


def source_arguments(wildcards):
    """The same as the preparation takes it, `train=FILE` or `ptb=FOLDER`."""
    downloads = Path(config["pathvars"]["resources"], "downloads", DATA_SETS[wildcards.dataset].corpus)
    files = [f"{split}={downloads / source.name}" for split, source in SOURCES[wildcards.dataset].items()]
    return files + [f"{member}={data_folder(member)}" for member in members(wildcards.dataset)]


def dataset_settings(wildcards):
    """The settings a preparation depends on."""
    return as_json(DATA_SETS[wildcards.dataset].settings)


def distinct_sentences(wildcards, output):
    """How many test sentences must differ for the entropies of the runs that are measured on a data set.

    No setting of the preparation, which need not be made again for it: of a function that takes the output,
    Snakemake does not compare what it returns.
    """
    runs = planned(paper="sentences", dataset=wildcards.dataset)
    coded = [run for run in runs if run.model["objective"] in MEASURED]
    return max((run.evaluation["entropy_neighbours"] + 1 for run in coded), default=1)


# ---- runs


def training_data(wildcards):
    """The data set that a run is trained on."""
    return data_files(wildcards.dataset)


def trained_files(wildcards):
    """A run's settings and weights, which may have been trained on another data set."""
    folder = f"<results>/{run_of(wildcards).training_path}/seed{wildcards.seed}"
    return [f"{folder}/spec.json", f"{folder}/model.safetensors"]


def trained_folder(wildcards):
    """The folder that they are in, as a command line takes it."""
    return str(RESULTS / run_of(wildcards).training_path / f"seed{wildcards.seed}")


def trained_dataset(wildcards):
    """The data set that a run was trained on."""
    return run_of(wildcards).trained_on or wildcards.dataset


def trained_data(wildcards):
    """Its files."""
    return data_files(trained_dataset(wildcards))


def measured_data(wildcards):
    """The data sets that a run was trained on and is measured on."""
    return [
        file for name in {trained_dataset(wildcards): 0, wildcards.dataset: 0} for file in data_files(name)
    ]


def measured_arguments(wildcards):
    """The same as evaluations take it."""
    target = []
    if DATA_SETS[wildcards.dataset].is_of_questions:
        target = ["--questions", data_folder(wildcards.dataset)]
    elif run_of(wildcards).trained_on:
        target = ["--member", data_folder(wildcards.dataset)]
    return ["--data", data_folder(trained_dataset(wildcards)), *target]


def measured_sources(wildcards):
    """The files that these data sets were made from. No input: prepared data sets outlive them."""
    measured = (trained_dataset(wildcards), wildcards.dataset)
    parts = [part for name in measured for part in members(name) or [name]]
    # A file can have several splits, and a data set be in both.
    paths = [path for part in parts for path in downloaded(DATA_SETS[part].corpus, SOURCES[part].values())]
    return list(dict.fromkeys(paths))


def likelihood_settings(wildcards):
    """How the marginal likelihood of a run is estimated."""
    return as_json(config["sentences"]["likelihood"])


def qualitative_settings(wildcards):
    """What a run shows of its data set in Tables 9-21."""
    section = config["sentences"]
    return as_json(section["qualitative"] | section["datasets"][wildcards.dataset].get("qualitative", {}))


# ---- figures and texts


def shown(dataset, names):
    """Runs on a data set, in the order of their names."""
    return [run for name in names for run in planned(paper="sentences", dataset=dataset, name=name)]


def first_files(runs, file):
    """A file of the first seed of these runs."""
    return [f"<results>/{run.path}/seed{run.seeds[0]}/{file}" for run in runs]


def dataset_name(dataset):
    """What figures call a data set."""
    return config["sentences"]["datasets"][dataset].get("row", dataset)


def dataset_title(dataset):
    """What titles call a data set: its corpus."""
    return corpus_titles()[DATA_SETS[dataset].corpus][0]


def pair_runs(wildcards):
    """The runs of Figure 3."""
    figure = config["sentences"]["figures"]["pairs"]
    return shown(figure["dataset"], figure["runs"])


def pair_histograms(wildcards):
    """The values that Figure 3 shows."""
    return run_files(pair_runs(wildcards), "histograms.json")


def pair_labels(wildcards):
    """The row labels that go with them."""
    return row_labels(pair_runs(wildcards))


def pair_title(wildcards):
    """What Figure 3 calls its data set."""
    return dataset_title(config["sentences"]["figures"]["pairs"]["dataset"])


def length_datasets():
    """The data sets of Figure 4: those of sentences, but for unions."""
    return [name for name, own in DATA_SETS.items() if not own.is_of_questions and not members(name)]


def length_data(wildcards):
    """Their files."""
    return [file for name in length_datasets() for file in data_files(name)]


def sample_files(wildcards):
    """The values that Figure 5 shows, a run a data set."""
    figure = config["sentences"]["figures"]["samples"]
    return [
        file
        for name, own in figure.items()
        for file in first_files(shown(name, [own["run"]]), "histograms.json")
    ]


def sample_references(wildcards):
    """The metrics of the runs that they are compared with."""
    figure = config["sentences"]["figures"]["samples"]
    return [
        file
        for name, own in figure.items()
        for file in first_files(shown(name, [own["reference"]]), "metrics.json")
    ]


def sample_labels(wildcards):
    """The names of Figure 5's data sets, with the run's."""
    figure = config["sentences"]["figures"]["samples"]
    return [f"{shown(name, [own['run']])[0].label}, {dataset_name(name)}" for name, own in figure.items()]


def sample_reference_labels(wildcards):
    """The row labels of the runs compared with."""
    figure = config["sentences"]["figures"]["samples"]
    return [shown(name, [own["reference"]])[0].label for name, own in figure.items()]


BOUND_FIGURES = {"6": "ptb", "7": "yelp15", "8": "yahoo"}


def bound_runs(wildcards):
    """The runs of one of Figures 6 to 8."""
    dataset = BOUND_FIGURES[wildcards.figure]
    return shown(dataset, config["sentences"]["figures"]["bounds"][dataset])


def bound_histograms(wildcards):
    """The values that the figure shows."""
    return run_files(bound_runs(wildcards), "histograms.json")


def bound_labels(wildcards):
    """The row labels that go with them."""
    return row_labels(bound_runs(wildcards))


def bound_title(wildcards):
    """What the figure calls its data set."""
    return dataset_title(BOUND_FIGURES[wildcards.figure])


def text_runs(wildcards):
    """The runs that are the columns of a table of texts."""
    table = config["sentences"]["texts"][f"table{wildcards.table}"]
    return shown(table["dataset"], table["runs"])


def text_files(wildcards):
    """What they made of the sentences named in the configuration, with their first seed."""
    return first_files(text_runs(wildcards), "qualitative.json")


def text_labels(wildcards):
    """The row labels that go with them."""
    return [run.label for run in text_runs(wildcards)]


def text_title(wildcards):
    """What the table calls its data set."""
    return dataset_title(config["sentences"]["texts"][f"table{wildcards.table}"]["dataset"])
