# What the rules share: the checked configuration, the planned runs, and the functions that rules take their
# inputs and parameters from. Whatever a user can get wrong is found here, before there is any job.

import hashlib
import json
import platform
import re
import shlex
import sys
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from textlvm.experiment import plan, targets
from textlvm.experiment.config import check, origin
from textlvm.corpora import registry
from textlvm.runtime.errors import FULL, UserError, explain
from textlvm.runtime.fingerprint import fingerprint
from textlvm.runtime.processes import PARENT, announce
from textlvm.experiment.relations import check_writable

REGISTRY = "workflow/corpora.yaml"
PINS = "envs/requirements.txt"
SNAKEMAKE = version("snakemake")


def read_experiment():
    """The corpora by name, the planned data sets and the planned runs, after a check of what the user gave.

    In case of an error this ends Snakemake with one sentence: an exception would come with a traceback.
    """
    files = ["config.yaml", *map(os.path.relpath, workflow.overwrite_configfiles)]
    where = partial(origin, config, files=files)
    try:
        # In place, since rules read it too.
        config.update(check(config, files, registry.load(Path(REGISTRY))))
        if workflow.is_main_process:
            check_writable(config["pathvars"], where)
        corpora = registry.load(Path(REGISTRY), config["corpora"], where)
        data_sets, runs = plan.data_sets(config, corpora), plan.runs(config)
        # Snakemake has not looked at its targets yet; the command line has them.
        for word in sys.argv[1:]:
            targets.check_target(word, config["pathvars"]["results"], (*data_sets, *runs), where)
        sources = {own.dataset: plan.sources(own, corpora, where) for own in data_sets}
    except UserError as error:
        sys.exit(f"error: {error}")
    return corpora, {own.dataset: own for own in data_sets}, sources, runs


CORPORA, DATA_SETS, SOURCES, RUNS = read_experiment()
RESULTS = Path(config["pathvars"]["results"])

# Modules are found here by whatever a rule starts, also on a cluster's nodes and in conda environments, which
# do not keep the variables themselves. $PPID is Snakemake, which no step outlives.
PACKAGES = Path(workflow.basedir, "workflow")
shell.prefix(f"export PYTHONUTF8=1 PYTHONPATH={shlex.quote(str(PACKAGES))} {PARENT}=$PPID; ")


def announce_process():
    """Make this Snakemake known to others in the folder, until it ends; see envs/bin/snakemake."""
    try:
        announce(Path(".snakemake", "instances"))
    except OSError as error:
        if error.errno in FULL:
            sys.exit(f"error: {explain(error)}")
        sys.exit(
            f"error: nothing can be written in .snakemake, where Snakemake keeps its records ({error.strerror}): "
            "move what has that name away, or run this in a copy of the project that you may write in"
        )


announce_process()


def any_of(names):
    """A wildcard constraint: one of these names."""
    return "|".join(map(re.escape, sorted(set(names))))


wildcard_constraints:
    corpus=any_of(CORPORA),
    file=any_of(file.name for corpus in CORPORA.values() for file in corpus.files),
    dataset=any_of(DATA_SETS),
    split=any_of(run.split for run in RUNS),
    run=any_of(run.name for run in RUNS),
    seed=any_of(str(seed) for run in RUNS for seed in run.seeds),
    order=any_of(map(str, config["words"]["ngram"]["orders"])),
    table=any_of(map(str, plan.TABLES)),


def as_json(value):
    """Settings as the command line of a step takes them; the same settings always make the same text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def per_attempt(amount):
    """A resource of which every further attempt gets as much more: what ended for want of it is retried."""

    def granted(wildcards, attempt):
        return amount * attempt

    return granted


# ---- corpora


def environment():
    """What the documentation corpus is made from: this Python and the pinned packages."""
    return f"Python {platform.python_version()}, {hashlib.sha256(Path(PINS).read_bytes()).hexdigest()[:16]}"


def source_file(wildcards):
    """The registry's entry of one file of a corpus."""
    return CORPORA[wildcards.corpus].file(wildcards.file)


def source_content(wildcards):
    """What a file of a corpus must be. Where it comes from says that only if nothing else does."""
    source = source_file(wildcards)
    known = {"hashes": source.hashes, "bytes": source.bytes}
    return as_json(known if source.hashes else known | {"urls": source.urls})


def supplied_file(wildcards):
    """The user's own copy of a corpus's file, if the configuration names one."""
    return source_file(wildcards).path or []


def own_entry(wildcards):
    """The part of the configuration's corpora that concerns one corpus."""
    return as_json({name: entry for name, entry in config["corpora"].items() if name == wildcards.corpus})


def counting_options(wildcards):
    """How the files of a corpus are counted."""
    corpus = CORPORA[wildcards.corpus]
    cleaning = ["--cleaning", corpus.cleaning] if corpus.cleaning else []
    return ["--kind", corpus.content, "--members", corpus.members, *cleaning]


# ---- runs


@cache
def planned(**wanted):
    """The planned runs with these values, e.g. `planned(corpus="gutenberg", split="standard")`."""
    return tuple(run for run in RUNS if all(getattr(run, name) == value for name, value in wanted.items()))


def run_files(runs, file):
    """A file of every seed of these runs."""
    return [f"<results>/{run.path}/seed{seed}/{file}" for run in runs for seed in run.seeds]


def in_tables(measured):
    """Those that tables have rows of; the others are trained for these, and not measured."""
    return [own for own in measured if own.rows]


def row_labels(runs):
    """The row labels that go with `run_files`."""
    return [run.label for run in runs for _ in run.seeds]


def run_of(wildcards):
    """The run that a path belongs to; wildcards are named after what a run has."""
    named = {name: value for name, value in wildcards.items() if name in ("corpus", "split", "dataset")}
    # A corpus of sentences may be counted for the words paper too.
    paper = "sentences" if "dataset" in named else "words"
    return planned(paper=paper, **named, name=wildcards.run)[0]


def training_spec(wildcards):
    """The settings a training depends on."""
    run = run_of(wildcards)
    return as_json({"model": run.model, "training": run.training, "data": run.data})


def evaluation_settings(wildcards):
    """The settings an evaluation depends on, beside the trained run's own."""
    return as_json(run_of(wildcards).evaluation)


def downloaded(corpus, files):
    """Files of a corpus, where they are downloaded to."""
    return [str(Path(config["pathvars"]["resources"], "downloads", corpus, file.name)) for file in files]


def corpus_files(wildcards):
    """The files, or the folder, that a run's words were counted in. No input: counts outlive them."""
    if folder := folder_of(wildcards):
        return [str(folder)]
    return downloaded(wildcards.corpus, CORPORA[wildcards.corpus].files)


def ngram_arguments(wildcards, input):
    """The character models as the evaluation takes them, `3=char3.arpa 5=char5.arpa`."""
    return [f"{order}={path}" for order, path in zip(config["words"]["ngram"]["orders"], input.ngrams)]


# ---- tables and figures


def of_table(wildcards):
    """The runs and data sets that a table has rows of."""
    number = int(wildcards.table)
    return [own for own in (*DATA_SETS.values(), *RUNS) if any(row.table == number for row in own.rows)]


def corpus_titles():
    """What tables call each corpus, and whether it stands in for the paper's own."""
    titles = {name: (corpus.title, not corpus.paper_corpus) for name, corpus in CORPORA.items()}
    for name, own in DATA_SETS.items():
        if "union" in own.settings:
            members = own.settings["union"]
            names = [config["sentences"]["datasets"][member].get("row", member) for member in members]
            stand_in = any(plan.stands_in(DATA_SETS[member], titles) for member in members)
            titles[name] = f"the union of {', '.join(names)}", stand_in
    return titles


def table_plan(wildcards):
    """The planned rows of a table, on every corpus."""
    return as_json(plan.rows(of_table(wildcards), int(wildcards.table), corpus_titles()))


def table_metrics(wildcards):
    """The metrics that a table is made of."""
    return [f"<results>/{own.metrics(seed)}" for own in of_table(wildcards) for seed in own.seeds]


def finished_metrics(wildcards):
    """Those that are there, measured with the settings of now, and the failures of trainings with these."""
    outcomes = [own.outcome(seed, RESULTS) for own in of_table(wildcards) for seed in own.seeds]
    # Runs that are measured on several data sets share a training.
    return list(dict.fromkeys(str(path) for path in outcomes if path))


def finished_digest(wildcards):
    """What stands in them, as one short text."""
    contents = (Path(path).read_bytes() for path in finished_metrics(wildcards))
    return hashlib.sha256(b"".join(contents)).hexdigest()[:16]


def corpus_title(wildcards):
    """What tables and figures call a corpus."""
    return CORPORA[wildcards.corpus].title


def gap_runs(wildcards):
    """The runs of Figure 1: those with an entropy gap, on the standard split of a corpus."""
    runs = planned(paper="words", corpus=wildcards.corpus, split="standard")
    return [run for run in runs if run.model["family"] == "state-space"]


def gap_entropies(wildcards):
    """The entropies that Figure 1 shows."""
    return run_files(gap_runs(wildcards), "entropy.csv")


def gap_labels(wildcards):
    """The row labels that go with them."""
    return row_labels(gap_runs(wildcards))


def training_runs(wildcards):
    """The run of Figure 2, in a list."""
    name = config["words"]["figures"]["training_run"]
    return planned(paper="words", corpus=wildcards.corpus, split="standard", name=name)


def training_curves(wildcards):
    """The training curves that Figure 2 shows."""
    return run_files(training_runs(wildcards), "curve.jsonl")


def training_labels(wildcards):
    """The row labels that go with them."""
    return row_labels(training_runs(wildcards))


def training_baseline(wildcards):
    """The metrics of the trained baseline whose word entropy Figure 2 shows."""
    name = config["words"]["figures"]["baseline"]
    return run_files(
        planned(paper="words", corpus=wildcards.corpus, split="standard", name=name), "metrics.json"
    )[0]


# ---- what is built


def tables_of(paper):
    """The numbers of the tables of results that a paper's runs and data sets are rows of."""
    measured = (*DATA_SETS.values(), *RUNS)
    return sorted({row.table for own in measured if own.paper == paper for row in own.rows})


def words_products(folder, forms):
    """The words paper's tables in these forms, below a folder of the results."""
    corpora = sorted({run.corpus for run in planned(paper="words")})
    return expand(
        "<results>/{folder}words/{corpus}/table{table}.{form}",
        folder=folder,
        corpus=corpora,
        table=tables_of("words"),
        form=forms,
    )


def sentences_products(folder, forms):
    """The sentences paper's tables of results in these forms, below a folder of the results."""
    return expand(
        "<results>/{folder}sentences/table{table}.{form}",
        folder=folder,
        table=tables_of("sentences"),
        form=forms,
    )


def all_products():
    """Every table and figure, and the claims."""
    pictures = ["png", "svg"]
    words = expand(
        "<results>/words/{corpus}/figure{figure}.{form}",
        corpus=sorted({run.corpus for run in planned(paper="words")}),
        figure=[1, 2],
        form=pictures,
    )
    sentences = [
        *expand("<results>/sentences/figure{figure}.{form}", figure=range(3, 9), form=pictures),
        *expand(
            "<results>/sentences/{table}.{form}",
            table=config["sentences"]["texts"],
            form=["md", "html", "json"],
        ),
    ]
    forms = ["csv", "md", "html", "tex"]
    return [
        *expand("<results>/table{table}.csv", table={*tables_of("words"), *tables_of("sentences")}),
        *expand("<results>/claims.{form}", form=["csv", "md", "html"]),
        *words_products("", forms),
        *words,
        *sentences_products("", forms),
        *(sentences if DATA_SETS else []),
    ]


def whole_archive():
    """The archive of all that was found, if there are runs to tell of."""
    return ["<results>/ro-crate.zip"] if in_tables(RUNS) else []


def partial_tables():
    """Every table of results, tidy and to read, and the claims, from the runs that are measured."""
    return [
        *expand("<results>/partial/table{table}.csv", table=plan.TABLES),
        *expand("<results>/partial/claims.{form}", form=["csv", "md"]),
        *words_products("partial/", ["md"]),
        *sentences_products("partial/", ["md"]),
    ]
