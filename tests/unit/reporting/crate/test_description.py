import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from textlvm.corpora.registry import Corpus, SourceFile
from textlvm.reporting.crate.archive import pack
from textlvm.reporting.crate.content import Content, read_run
from textlvm.reporting.crate.description import PROFILES, describe
from textlvm.runtime.files import write_json, write_text

SENTENCE = "it was a bright cold day in april"
SOURCES = {
    "Snakefile": "rule all:\n",
    "config.yaml": "papers: [words]\n",
    "README.md": "# A project\n",
    "envs/requirements.txt": "torch==2.13.0\n",
    "workflow/rules/tables.smk": "rule table:\n",
    "workflow/textlvm/words/train.py": '"""Train."""\n',
    "workflow/textlvm/words/evaluate.py": '"""Measure."""\n',
    "workflow/textlvm/sentences/train.py": '"""Train."""\n',
    "workflow/textlvm/sentences/evaluate.py": '"""Measure."""\n',
}
NOT_SOURCES = ("workflow/textlvm/__pycache__/plan.pyc", "workflow/.backup", "resources/a.txt", "notes.txt")
TEXTS = ("sentences/table12.md", "sentences/table21.json", "index.html")
CORPORA = {
    "mine": Corpus("mine", "My novels", "text", (SourceFile("a.txt", ("https://example.org/a.txt",)),)),
    "ptb": Corpus(
        "ptb", "Penn Treebank", "sentences", (), licence="For members.", citation="M. Marcus, 1993"
    ),
}


def process(hour, dirty=False):
    """The provenance of a process that starts at this hour."""
    return {
        "git": {"commit": "abc", "dirty": dirty},
        "packages": {"torch": "2.13.0"},
        "began": f"2026-01-02T{hour:02}:00:00.000+00:00",
        "ended": f"2026-01-02T{hour:02}:30:00.000+00:00",
        "seconds": 1800.0,
        "peak_memory_mib": 250,
    }


@pytest.fixture
def root(tmp_path):
    """A project with results: a run of the words paper, and one of sentences with two evaluations."""
    for name, text in SOURCES.items():
        write_text(tmp_path / name, text)
    for name in NOT_SOURCES:
        write_text(tmp_path / name, SENTENCE)
    results = tmp_path / "results" / "demo"
    for name in ("table1.csv", "claims.html", "words/mine/figure1.png"):
        write_text(results / name, name)
    for name in TEXTS:
        write_text(results / name, SENTENCE)
    write_json(results / "sentences/ptb/data/statistics.json", {"metrics": {}})
    words = ["words/mine/standard/words.tsv"]
    data = ["sentences/ptb/data/statistics.json", "sentences/ptb/data/test.tokens.npy"]
    questions = [*data, "sentences/yahoocqa/data/questions.json"]
    runs = (
        ("words/mine/standard/tril", "words/mine/standard/tril", words, "mine/a.txt", 1),
        ("sentences/ptb/smim", "sentences/ptb/smim", data, "ptb/train.txt", 3),
        ("sentences/yahoocqa/smim", "sentences/ptb/smim", questions, "", 5),
    )
    for folder, name, read, corpus, hour in runs:
        read = [f"results/demo/{path}" for path in (*read, f"{name}/seed0/model.safetensors")]
        record = {
            "name": name,
            "seed": 0,
            "configuration": {"model": {"dim": 8}, "training": {"steps": 2}, "evaluation": {"samples": 5}},
            "corpora": {f"resources/downloads/{corpus}": "c0ffee"} if corpus else {},
            "data": dict.fromkeys(read, "0ff1ce"),
            "training": process(3 if "smim" in name else hour) | {"cost": {}},
            "evaluation": process(hour + 1, dirty=hour == 5),
        }
        write_json(results / folder / "seed0" / "provenance.json", record)
        write_json(results / folder / "seed0" / "metrics.json", {"metrics": {}})
    return tmp_path


@pytest.fixture
def experiment(root, papers, monkeypatch):
    """Makes the content of the crate of this project, as the rule does; keywords change it."""
    monkeypatch.chdir(root)
    results = Path("results", "demo")

    def make(**changes):
        tables = ["table1.csv", "claims.html", "words/mine/figure1.png"]
        given = {
            "papers": papers,
            "project": Path(),
            "results": results,
            "products": [results / name for name in (*tables, *TEXTS)],
            "runs": [read_run(path) for path in sorted(results.rglob("provenance.json"))],
            "data": [results / "sentences/ptb/data/statistics.json"],
            "configuration": {"papers": ["words", "sentences"]},
            "corpora": CORPORA,
            "engine": "9.27.1",
        }
        return Content(**given | changes)

    return make


def contents(experiment, out=Path("crate.zip")):
    """The files of an experiment's crate."""
    pack(describe(experiment), out)
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def entities(files):
    """The entities of the crate, by identifier."""
    graph = json.loads(files["ro-crate-metadata.json"])["@graph"]
    assert len({entity["@id"] for entity in graph}) == len(graph)
    return {entity["@id"]: entity for entity in graph}


def as_list(value):
    return value if isinstance(value, list) else [value]


def references(value):
    """The identifiers that an entity refers to."""
    return [item["@id"] for items in value.values() for item in as_list(items) if isinstance(item, dict)]


def violations(files):
    """The requirements of its profiles that the crate violates."""
    found = entities(files)
    types = {name: set(as_list(entity["@type"])) for name, entity in found.items()}
    root, descriptor = found["./"], found["ro-crate-metadata.json"]
    main = found[root["mainEntity"]["@id"]]
    actions = [entity for name, entity in found.items() if "CreateAction" in types[name]]
    tools = {action.get("instrument", {}).get("@id") for action in actions}
    if {"@id": "https://w3id.org/ro/crate/1.1"} not in as_list(descriptor["conformsTo"]):
        yield "descriptor"
    yield from {"name", "description", "datePublished", "license"} - root.keys()
    yield from set(PROFILES) - {profile["@id"] for profile in root["conformsTo"]}
    if not {"File", "SoftwareSourceCode", "ComputationalWorkflow"} <= types[main["@id"]]:
        yield "type of the workflow"
    if "ComputerLanguage" not in types[main["programmingLanguage"]["@id"]]:
        yield "language"
    if main["@id"] not in tools or None in tools:
        yield "instrument"
    if {part["@id"] for part in main.get("hasPart", [])} != tools - {main["@id"]}:
        yield "tools"
    for action in actions:
        yield from {"name", "description", "instrument", "result", "startTime", "endTime"} - action.keys()
        if action["@id"] not in references({"mentions": root["mentions"]}):
            yield f"{action['@id']} is not mentioned"
        for usage in as_list(action.get("resourceUsage", [])):
            if not {"propertyID", "unitCode", "value"} <= found[usage["@id"]].keys():
                yield usage["@id"]
        for used in [*as_list(action.get("object", [])), *as_list(action["result"])]:
            if not types[used["@id"]] & {"File", "CreativeWork"}:
                yield used["@id"]
    for entity in found.values():
        yield from (name for name in references(entity) if name not in found and "://" not in name)
        lists = (value for value in entity.values() if isinstance(value, list))
        yield from (f"list of one in {entity['@id']}" for values in lists if len(values) == 1)
    packed = {name for name, kind in types.items() if "File" in kind}
    yield from packed ^ (files.keys() - {"ro-crate-metadata.json"})
    yield from packed ^ {part["@id"] for part in root["hasPart"]}


def test_crate_conforms_to_its_profiles(experiment):
    assert list(violations(contents(experiment()))) == []


def test_archive_is_deterministic(experiment, root):
    first = experiment()
    pack(describe(first), root / "first.zip")
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (1e9, 1e9))
    again = experiment(products=first.products[::-1], runs=first.runs[::-1])
    pack(describe(again), root / "second.zip")
    assert (root / "first.zip").read_bytes() == (root / "second.zip").read_bytes()
    with zipfile.ZipFile(root / "first.zip") as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_crate_contains_only_the_files_of_the_workflow(experiment):
    files = contents(experiment())
    assert {name: files[name].decode() for name in SOURCES} == SOURCES
    assert not files.keys() & set(NOT_SOURCES)
    assert json.loads(files["configuration.json"]) == {"papers": ["words", "sentences"]}


def test_results_have_the_same_paths_for_absolute_and_relative_inputs(experiment, root):
    results = root / "results" / "demo"
    given = experiment()
    elsewhere = {"results": results, "products": [root / path for path in given.products]}
    elsewhere |= {"runs": [read_run(path) for path in sorted(results.rglob("provenance.json"))]}
    elsewhere |= {"data": [root / path for path in given.data]}
    files = contents(experiment(**elsewhere))
    assert {name for name in files if "demo" in name or name.startswith("/")} == set()
    assert {"results/table1.csv", "results/claims.html", "results/words/mine/figure1.png"} <= files.keys()


def test_crate_contains_no_texts_of_a_corpus(experiment):
    files = contents(experiment())
    assert not [name for name, content in files.items() if SENTENCE.encode() in content]
    assert not [name for name in files if name.endswith((".tsv", ".npy", ".safetensors", "questions.json"))]


def test_page_without_texts_is_included(experiment):
    results = Path("results", "demo")
    files = contents(experiment(products=[results / "table1.csv", results / "index.html"]))
    assert "results/index.html" in files


def test_corpora_have_terms_and_digests(experiment):
    found = entities(contents(experiment()))
    ptb, novels = found["#corpora/ptb"], found["#corpora/mine"]
    assert (ptb["name"], ptb["citation"]) == ("Penn Treebank", "M. Marcus, 1993")
    assert found[ptb["license"]["@id"]]["description"] == "For members."
    assert found[novels["license"]["@id"]]["description"] == "None stated."
    assert found["#corpora/mine/a.txt"]["sha256"] == "c0ffee"
    assert found["#corpora/mine/a.txt"]["url"] == "https://example.org/a.txt"
    assert {"@id": "#corpora/ptb"} in found["#run"]["object"]


def test_run_has_a_training_and_an_evaluation(experiment):
    found = entities(contents(experiment()))
    run = "words/mine/standard/tril/seed0"
    weights = f"#results/{run}/model.safetensors"
    training, evaluation = found[f"#{run}/training"], found[f"#{run}/evaluation"]
    assert json.loads(training["description"]) == {"model": {"dim": 8}, "training": {"steps": 2}}
    assert json.loads(evaluation["description"]) == {"samples": 5}
    assert training["instrument"]["@id"] == "workflow/textlvm/words/train.py"
    assert training["object"]["@id"] == "#results/words/mine/standard/words.tsv"
    assert training["result"]["@id"] == weights
    assert {"@id": weights} in evaluation["object"]
    assert {"@id": f"results/{run}/metrics.json"} in evaluation["result"]
    assert evaluation["subjectOf"]["@id"] == f"results/{run}/provenance.json"
    assert found[weights]["sha256"] == "0ff1ce"
    assert found[f"#{run}/training/peak_memory_mib"]["value"] == 250


def test_program_in_a_folder_with_a_space_is_one_tool(experiment, root, papers):
    write_text(root / "my papers" / "words" / "steps.py", '"""Train and measure."""\n')
    steps = {"training": "steps.py", "evaluation": "steps.py"}
    words = replace(papers["words"], folder=Path("my papers", "words"), steps=steps)
    found = entities(contents(experiment(papers={**papers, "words": words})))
    program = "my%20papers/words/steps.py"
    assert found["#words/mine/standard/tril/seed0/evaluation"]["instrument"]["@id"] == program
    assert found[f"#steps/{program}"]["workExample"]["@id"] == program
    workflow = found[found["./"]["mainEntity"]["@id"]]
    assert [part["@id"] for part in workflow["hasPart"]].count(program) == 1
    assert len(workflow["step"]) == len(workflow["hasPart"])


def test_training_with_two_evaluations_is_described_once(experiment):
    found = entities(contents(experiment()))
    assert [name for name in found if name.endswith("/training") and "smim" in name] == [
        "#sentences/ptb/smim/seed0/training"
    ]
    training = found["#sentences/ptb/smim/seed0/training"]
    other = found["#sentences/yahoocqa/smim/seed0/evaluation"]
    assert not any("yahoocqa" in name for name in references({"object": training["object"]}))
    assert {"@id": "#results/sentences/yahoocqa/data/questions.json"} in other["object"]
    # Files in the crate have their path as the identifier.
    assert {"@id": "results/sentences/ptb/data/statistics.json"} in other["object"]


def test_times_are_those_of_the_first_and_last_step(experiment):
    found = entities(contents(experiment()))
    assert found["#run"]["startTime"] == "2026-01-02T01:00:00.000+00:00"
    assert found["#run"]["endTime"] == found["./"]["datePublished"] == "2026-01-02T06:30:00.000+00:00"


def test_version_is_the_commit_of_the_last_evaluation(experiment, root):
    assert entities(contents(experiment()))["Snakefile"]["version"] == "abc-dirty"
    for path in root.rglob("provenance.json"):
        record = json.loads(path.read_text())
        record["evaluation"]["git"] = None
        write_json(path, record)
    assert "version" not in entities(contents(experiment()))["Snakefile"]


def test_licence_is_that_of_the_project_if_it_has_one(experiment, root):
    found = entities(contents(experiment()))
    assert "None is stated" in found[found["./"]["license"]["@id"]]["description"]
    write_text(root / "LICENSE", "Do what you like.\n")
    assert entities(contents(experiment()))["./"]["license"]["@id"] == "LICENSE"


def test_training_without_recorded_process_has_no_times(experiment, root):
    path = root / "results/demo/words/mine/standard/tril/seed0/provenance.json"
    write_json(path, json.loads(path.read_text()) | {"training": {"cost": {"seconds": 2.0}}})
    training = entities(contents(experiment()))["#words/mine/standard/tril/seed0/training"]
    assert not {"startTime", "endTime", "resourceUsage"} & training.keys()
