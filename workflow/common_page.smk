# What the rules of the page take their inputs and parameters from, beside the other common files.

from types import SimpleNamespace

PAGE = Path("workflow/textlvm/reporting/page")
OF_TRAINING = ["spec.json", "curve.jsonl", "cost.json"]
SHOWN_RUNS = in_tables(RUNS)
SHOWN = in_tables(EXPERIMENT.planned)


def experiment_command():
    """How Snakemake is called for this experiment, without targets."""
    files = [os.path.relpath(path) for path in workflow.overwrite_configfiles]
    values = [f"{key}={as_json(value)}" for key, value in workflow.config_settings.config.items()]
    options = [*(["--configfile", *files] if files else []), *(["--config", *values] if values else [])]
    return shlex.join(["snakemake", "--cores", "all", *options])


# ---- what a page shows


def page_figures():
    """Every figure with the files it is drawn from: paper, number, what it is of, path, files."""
    return [(each.paper, each.number, each.title, each.path, each.sources) for each in EXPERIMENT.figures]


def page_texts():
    """Every table of texts with the files it is made from: path, files."""
    return [(f"{text.path}.json", text.sources) for text in EXPERIMENT.texts]


def up_to_date(product, sources):
    """Whether a file below the results is there, and made from runs as they are now."""
    product = RESULTS / product
    paths = [RESULTS / source for source in sources]
    if not (product.exists() and all(path.exists() for path in paths)):
        return False
    folders = {path.parent for path in paths}
    for own in EXPERIMENT.planned:
        for seed in own.seeds:
            if (RESULTS / own.metrics(seed)).parent in folders and not own.is_finished(seed, RESULTS):
                return False
    return product.stat().st_mtime >= max(path.stat().st_mtime for path in paths)


def page_plan(partial, outcome, shown):
    """The plan of a page. `outcome` gives the file that says how a seed came out, or None; `shown` says whether a
    file is shown that is made from others. Paths are below the results."""

    def outcomes(own):
        return {seed: file for seed in own.seeds if (file := outcome(own, seed))}

    # The plan goes by command line, which has its limits: what can be told from the rest is left out.
    entries = [
        {
            "paper": own.paper,
            "corpus": own.corpus,
            "dataset": own.dataset,
            "split": own.split,
            "name": own.name,
            "label": own.label,
            "path": own.path,
            "trained_at": getattr(own, "training_path", ""),
            "seeds": own.seeds,
            "measured": [seed for seed, file in outcomes(own).items() if file == own.metrics(seed)],
            "failures": {seed: file for seed, file in outcomes(own).items() if file != own.metrics(seed)},
            "tables": sorted({row.table for row in own.rows}),
        }
        for own in SHOWN
    ]
    figures = [
        {"paper": paper, "number": number, "title": title, "path": path}
        for paper, number, title, path, sources in page_figures()
        if shown(f"{path}.png", sources) and shown(f"{path}.svg", sources)
    ]
    texts = [path for path, sources in page_texts() if shown(path, sources)]
    return as_json(
        {
            "results": str(RESULTS),
            "partial": partial,
            "command": experiment_command(),
            "entries": entries,
            "figures": figures,
            "texts": texts,
        }
    )


# ---- the page of a finished experiment


def whole_plan(wildcards):
    """Everything."""
    return page_plan(False, lambda own, seed: own.metrics(seed), lambda path, sources: True)


def page_tables(folder):
    """The tidy tables that a page is made of."""
    tables = EXPERIMENT.tables if folder else EXPERIMENT.planned_tables()
    return expand("<results>/{folder}table{table}.csv", folder=folder, table=tables)


def page_files():
    """What it shows beside tables and claims."""
    trained = dict.fromkeys(f"{run.training_path}/seed{seed}" for run in SHOWN_RUNS for seed in run.seeds)
    figures = expand("{path}.{form}", path=[path for *_, path, _ in page_figures()], form=["png", "svg"])
    below = [
        *(own.metrics(seed) for own in SHOWN for seed in own.seeds),
        *(f"{folder}/{file}" for folder in trained for file in OF_TRAINING),
        *(f"{run.path}/seed{seed}/provenance.json" for run in SHOWN_RUNS for seed in run.seeds),
        *figures,
        *(path for path, _ in page_texts()),
    ]
    return [f"<results>/{path}" for path in below]


def page_assets():
    """Its templates, style and scripts."""
    return sorted(str(path) for folder in ("assets", "templates") for path in (PAGE / folder).iterdir())


# ---- that of what has run so far


def finished_outcome(own, seed):
    """The file that says how a seed came out with the settings it has now, below the results."""
    path = own.outcome(seed, RESULTS)
    return str(path.relative_to(RESULTS)) if path else None


def finished_plan(wildcards):
    """What is there and of the settings of now."""
    return page_plan(True, finished_outcome, up_to_date)


def finished_files(wildcards):
    """What stands in the files it shows, as one short text."""
    figures = [(f"{path}.svg", sources) for *_, path, sources in page_figures()]
    below = [
        *(finished_outcome(own, seed) for own in SHOWN for seed in own.seeds),
        *(
            f"{folder}/seed{seed}/{file}"
            for run in SHOWN_RUNS
            for seed in run.seeds
            for folder, files in ((run.training_path, OF_TRAINING), (run.path, ["provenance.json"]))
            for file in files
            if finished_outcome(run, seed)
        ),
        *(path for path, sources in (*figures, *page_texts()) if up_to_date(path, sources)),
    ]
    paths = [RESULTS / path for path in below if path]
    contents = (path.read_bytes() for path in paths if path.exists())
    return hashlib.sha256(b"".join(contents)).hexdigest()[:16]
