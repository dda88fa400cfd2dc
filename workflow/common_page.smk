# What the rules of the page take their inputs and parameters from, beside the other common files.

from textlvm.reporting.page import contents

PAGE = Path("workflow/textlvm/reporting/page")


def experiment_command():
    """How Snakemake is called for this experiment, without targets."""
    files = [os.path.relpath(path) for path in workflow.overwrite_configfiles]
    values = [f"{key}={as_json(value)}" for key, value in workflow.config_settings.config.items()]
    options = [*(["--configfile", *files] if files else []), *(["--config", *values] if values else [])]
    return shlex.join(["snakemake", "--cores", "all", *options])


def page_plan(wildcards):
    """What the page of a finished experiment shows."""
    return as_json(contents.whole_plan(EXPERIMENT, experiment_command()))


def finished_page_plan(wildcards):
    """What that of what has run so far shows."""
    return as_json(contents.finished_plan(EXPERIMENT, experiment_command()))


def finished_page_digest(wildcards):
    """What stands in the files that it shows, as one short text."""
    return digest(RESULTS / file for file in contents.finished_files(EXPERIMENT))


def page_assets():
    """Its templates, style and scripts."""
    return sorted(str(path) for folder in ("assets", "templates") for path in (PAGE / folder).iterdir())
