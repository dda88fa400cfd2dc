"""The page as Snakemake builds it: of an experiment without results, of a small one, and of a changed one."""

import html
import json
import pydoc_data.topics
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WHOLE, PARTIAL = "results/index.html", "results/partial/index.html"
TINY = {
    "seeds": [0],
    "training": {"steps": 4, "batch": 8, "log_every": 2, "monitor_every": 2, "checkpoint_every": 4},
    "evaluation": {
        "trajectories": 256,
        "bootstrap": 2,
        "samples": 50,
        "entropy_trajectories": 5,
        "entropy_draws": 2,
        "entropy_reference_draws": 2,
        "importance_words": 10,
        "importance_draws": 5,
    },
    "figures": {"training_run": "tril", "baseline": "baseline-8d"},
}
RUNS = ("tril", "baseline-8d", "oracle")


def page(project, path):
    return (project.root / path).read_text(encoding="utf-8")


def section(text, run):
    """The part of a page that is of a run."""
    start = text.index(f'id="run/words/mine/standard/{run}"')
    return html.unescape(text[start : text.index('<details class="run"', start) if run != RUNS[-1] else None])


def figures(text):
    return set(re.findall(r'<figure id="figure/([^"]+)"', text))


def test_nothing_has_run_and_there_is_a_page_of_it(new_project):
    project = new_project()
    project.run(f"snakemake --cores 2 {PARTIAL}")
    text = page(project, PARTIAL)
    assert "Unfinished." in text
    # The runs of the words paper, those of the sentences paper, and its data sets.
    assert len(re.findall(r'class="state s-not">not run<', text)) == 19 + 41 + 5
    assert figures(text) == set()
    assert project.jobs(f"snakemake --cores 2 {PARTIAL}") == set()


def test_the_page_is_part_of_everything_and_shows_it_all(project):
    jobs = project.jobs("snakemake --cores 1")
    assert {WHOLE, "results/claims.csv"} <= jobs
    left = jobs - project.jobs(f"snakemake --cores 1 {WHOLE}")
    # The page has the tables' numbers from their tidy form.
    assert {job for job in left if not re.search(r"/table\d\.csv$", job)} == {"all", "results/ro-crate.zip"}


@pytest.fixture(scope="module")
def small(new_project):
    """A project with a page of three runs."""
    project = new_project()
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    words = config["words"]
    for key, value in TINY.items():
        words[key] = words[key] | value if isinstance(value, dict) else value
    words["runs"] = {"standard": {name: words["runs"]["standard"][name] for name in RUNS}}
    words |= {"corpora": ["mine"], "vocabulary": words["vocabulary"] | {"min_count": 5}}
    config["corpora"] = {"mine": {"path": "mine.txt", "kind": "text", "title": "<script>Mine"}}
    config["papers"] = ["words"]
    text = "\n".join(pydoc_data.topics.topics.values())
    (project.root / "mine.txt").write_text(text, encoding="utf-8")
    (project.root / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    project.run(f"snakemake --cores 2 {WHOLE}")
    return project


def test_a_finished_page_has_tables_figures_runs_and_claims(small):
    text = page(small, WHOLE)
    assert "Unfinished." not in text
    assert "&lt;script&gt;Mine" in text
    assert "<script>Mine" not in text
    assert figures(text) == {"words/mine/figure1", "words/mine/figure2"}
    assert re.findall(r'class="state s-\w+">([^<]+)<', text) == ["done"] * 3
    assert 'id="claim/' in text
    curves = json.loads(re.search(r'id="data-curves">(.*?)</script>', text)[1])
    assert set(curves) == {f"run/words/mine/standard/{name}" for name in ("tril", "baseline-8d")}
    assert curves["run/words/mine/standard/tril"]["seeds"]["0"]["loss"][0] == [2, 4]
    assert small.jobs(f"snakemake --cores 2 {WHOLE}") == set()


def test_a_pages_command_runs_that_run_again_and_no_other(small):
    command = re.search(r'class="command">([^<]+)<', section(page(small, WHOLE), "tril"))[1]
    folder = "results/words/mine/standard/tril/seed0"
    assert command == f"snakemake --cores all --forcerun {folder}/model.safetensors -- results/table1.csv"
    assert small.jobs(command) == {f"{folder}/spec.json", f"{folder}/metrics.json", "results/table1.csv"}


def test_a_template_rebuilds_the_page_alone_and_a_touch_does_not(small):
    path = small.root / "workflow/textlvm/reporting/page/templates/overview.html"
    content = path.read_text(encoding="utf-8")
    path.touch()
    assert small.jobs(f"snakemake --cores 2 {WHOLE}") == set()
    path.write_text(content + "<!-- changed -->\n", encoding="utf-8")
    assert small.jobs(f"snakemake --cores 2 {WHOLE}") == {WHOLE}
    path.write_text(content, encoding="utf-8")


def test_an_unfinished_page_shows_what_is_of_the_settings_of_now(small):
    small.run(f"snakemake --cores 2 {PARTIAL}")
    assert figures(page(small, PARTIAL)) == {"words/mine/figure1", "words/mine/figure2"}
    file = small.root / "config.yaml"
    before = file.read_text(encoding="utf-8")
    config = yaml.safe_load(before)
    config["words"]["runs"]["standard"]["baseline-8d"]["evaluation"] = {"samples": 60}
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    small.run(f"snakemake --cores 2 {PARTIAL}")
    text = page(small, PARTIAL)
    states = re.findall(r'class="state s-\w+">([^<]+)<', text)
    assert sorted(states) == ["done", "done", "not run"]
    # Figure 2 has a line of the run that has changed.
    assert figures(text) == {"words/mine/figure1"}
    file.write_text(before, encoding="utf-8")
