"""The page of an experiment without results, of a small one, and of a changed one."""

import html
import json
import re

import pytest
import yaml

import tiny

WHOLE, PARTIAL = "results/index.html", "results/partial/index.html"
RUNS = ("tril", "baseline-8d", "oracle")


def page(project, path):
    return (project.root / path).read_text(encoding="utf-8")


def section(text, run):
    """The part of a page about a run."""
    start = text.index(f'id="run/words/topics/standard/{run}"')
    return html.unescape(text[start : text.index('<details class="run"', start) if run != RUNS[-1] else None])


def figures(text):
    return set(re.findall(r'<figure id="figure/([^"]+)"', text))


def test_page_without_results_shows_all_runs_as_not_run(new_project):
    project = new_project()
    project.run(f"snakemake --cores 2 {PARTIAL}")
    text = page(project, PARTIAL)
    assert "Unfinished." in text
    # The runs of the words paper, those of the sentences paper, and its data sets.
    assert len(re.findall(r'class="state s-not">not run<', text)) == 18 + 4 * 10 + 48 + 5
    assert figures(text) == set()
    assert project.jobs(f"snakemake --cores 2 {PARTIAL}") == set()


@pytest.fixture(scope="module")
def small(new_project):
    """A project with a page of three runs."""
    project = new_project()
    tiny.write(project.root, tiny.words)
    tiny.change(project.root, "words", tiny.few_words)
    file = project.root / "config.yaml"
    file.write_text(file.read_text().replace("Python topics", "<script>Mine"), encoding="utf-8")
    project.run(f"snakemake --cores 2 {WHOLE}")
    return project


def test_finished_page_has_figures_runs_claims_and_curves(small):
    text = page(small, WHOLE)
    assert "Unfinished." not in text
    assert "&lt;script&gt;Mine" in text
    assert "<script>Mine" not in text
    assert figures(text) == {"words/topics/figure1", "words/topics/figure2"}
    assert re.findall(r'class="state s-\w+">([^<]+)<', text) == ["done"] * 3
    assert 'id="claim/' in text
    curves = json.loads(re.search(r'id="data-curves">(.*?)</script>', text)[1])
    assert set(curves) == {f"run/words/topics/standard/{name}" for name in ("tril", "baseline-8d")}
    assert curves["run/words/topics/standard/tril"]["seeds"]["0"]["loss"][0] == [10, 20]


def test_command_on_the_page_reruns_only_its_run(small):
    command = re.search(r'class="command">([^<]+)<', section(page(small, WHOLE), "tril"))[1]
    folder = "results/words/topics/standard/tril/seed0"
    assert command == f"snakemake --cores all --forcerun {folder}/model.safetensors -- results/table1.csv"
    assert small.jobs(command) == {f"{folder}/spec.json", f"{folder}/metrics.json", "results/table1.csv"}


def test_changed_template_rebuilds_only_the_page(small):
    path = small.root / "workflow/textlvm/reporting/page/templates/overview.html"
    content = path.read_text(encoding="utf-8")
    path.write_text(content + "<!-- changed -->\n", encoding="utf-8")
    assert small.jobs(f"snakemake --cores 2 {WHOLE}") == {WHOLE}
    path.write_text(content, encoding="utf-8")


def test_unfinished_page_omits_results_of_other_settings(small):
    small.run(f"snakemake --cores 2 {PARTIAL}")
    assert figures(page(small, PARTIAL)) == {"words/topics/figure1", "words/topics/figure2"}
    file = small.root / "config.yaml"
    before = file.read_text(encoding="utf-8")
    config = yaml.safe_load(before)
    config["words"]["runs"]["standard"]["baseline-8d"]["evaluation"] = {"samples": 60}
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    small.run(f"snakemake --cores 2 {PARTIAL}")
    text = page(small, PARTIAL)
    states = re.findall(r'class="state s-\w+">([^<]+)<', text)
    assert sorted(states) == ["done", "done", "not run"]
    # Figure 2 shows the changed run.
    assert figures(text) == {"words/topics/figure1"}
    file.write_text(before, encoding="utf-8")
