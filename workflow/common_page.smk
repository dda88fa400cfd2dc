# Functions for the inputs and parameters of the rules of the page.

from functools import cache

from textlvm.reporting.page import contents

PAGE = Path("workflow/textlvm/reporting/page")


def experiment_command():
    """The Snakemake command of this experiment, without targets."""
    files = [os.path.relpath(path) for path in workflow.overwrite_configfiles]
    values = [f"{key}={as_json(value)}" for key, value in workflow.config_settings.config.items()]
    options = [*(["--configfile", *files] if files else []), *(["--config", *values] if values else [])]
    return shlex.join(["snakemake", "--cores", "all", *options])


@cache
def whole_page():
    """The content of the page of a finished experiment."""
    # The files that claims use and that have further numbers for the page.
    further = [
        file
        for run in RUNS
        for seed in run.seeds
        for file in read_claims().files(run, seed)
        if Path(file).name in PAPERS[run.paper].further_files
    ]
    return contents.whole_plan(EXPERIMENT, experiment_command(), further)


def finished_page():
    """The content of the page of the runs evaluated so far."""
    return contents.finished_plan(EXPERIMENT, experiment_command())


def whole_page_files(wildcards):
    """The files on the page of a finished experiment, apart from tables, claims and readings."""
    return below_results(contents.files(EXPERIMENT, whole_page()))


def page_assets():
    """The templates, style sheet and scripts of the page."""
    return sorted(str(path) for folder in ("assets", "templates") for path in (PAGE / folder).iterdir())
