"""Texts in a configuration are never executed: they reach their step unchanged, or are refused."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from textlvm.corpora import registry
from textlvm.experiment.config import check, merged
from textlvm.experiment.paper import find
from textlvm.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "config.yaml"
REGISTRY = registry.load(ROOT / "workflow" / "corpora.yaml")
# Characters that are special in a shell, in Snakemake's formats or in YAML.
HARM = "'; touch HARM; ' $(touch HARM) `touch HARM` \" & | ; * ? [a] ~ # ! \\ %s <x> --out $HOME \\n é"
BRACES = "{wildcards} {input} {params.code} {{x}} {"
# The same for file names, without characters that are special in paths or refused in them.
FOLDER = HARM.replace("<x>", "").replace("$HOME", "$5")

# Writes its arguments and its standard input to a file.
PRINT = """#!/bin/sh
printf '%s\\0' "$@" > words
if read -r line; then printf '<<<%s\\0' "$line" >> words; fi
"""


@pytest.fixture(scope="module")
def overlay(tmp_path_factory) -> dict:
    """A configuration with a harmful text at every key that allows one."""
    folder = tmp_path_factory.mktemp("harm") / FOLDER
    folder.mkdir()
    (folder / f"a {FOLDER}.txt").write_text("Tick, tock; tick tock! " * 20)
    text = f"{HARM} {BRACES}"
    return {
        "pathvars": {"results": f"res {FOLDER}", "resources": f"{FOLDER} sources"},
        "corpora": {"mine": {"path": str(folder), "kind": "text", "title": f"title {text}"}},
        "words": {"corpora": ["mine"], "runs": {"standard": {"tril": {"row": f"words {text}"}}}},
        "sentences": {
            "datasets": {
                "ptb": {
                    "row": f"dataset {text}",
                    "note": f"note {text}",
                    "tokens": {"unknown": [f"unknown {text}"]},
                    "qualitative": {"reconstruct": [f"text {text}"]},
                }
            },
            "runs": {"ptb": {"smim-512": {"row": f"sentences {text}"}}},
            "collected": {"table6": {"rows": {f"collected {text}": {"runs": {"ptb": "smim-512"}}}}},
        },
    }


def texts(value) -> set[str]:
    """All harmful texts in a configuration."""
    if isinstance(value, dict):
        return set().union(*(texts(item) for item in (*value, *value.values())))
    if isinstance(value, list):
        return set().union(*map(texts, value))
    return {value} if isinstance(value, str) and "HARM" in value else set()


def call(project, overlay, tmp_path, line, *words):
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(overlay, allow_unicode=True), encoding="utf-8")
    demo = "workflow/profiles/demo/experiment.yaml"
    return project.run(f"snakemake --cores 1 {line} --configfile {demo}", str(file), "--", *words)


def harmed(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("HARM")]


@pytest.fixture(scope="module")
def commands(new_project, overlay, tmp_path_factory) -> list[tuple[str, str]]:
    """Every rule with the command lines of its jobs, from a dry run of everything."""
    output = call(new_project(), overlay, tmp_path_factory.mktemp("overlay"), "--dry-run --printshellcmds")
    jobs = re.split(r"^(?:local)?rule ", output, flags=re.MULTILINE)[1:]
    found = [
        (job.partition(":")[0], re.search(r"^Shell command: *\n(.*)", job, re.MULTILINE)) for job in jobs
    ]
    return [(rule, command[1].strip()) for rule, command in found if command]


@pytest.mark.parametrize("most", [1, pytest.param(1000, marks=pytest.mark.faults)])
def test_commands_pass_texts_unchanged(commands, overlay, tmp_path, most):
    """Bash splits every command line into the same words as `shlex`, which expands nothing.

    A step's plan is a here-string: the word `<<<plan` of `shlex` is the step's standard input.
    """
    python = tmp_path / "python"
    python.write_text(PRINT)
    python.chmod(0o755)
    rules = {rule for rule, _ in commands}
    assert len(rules) > 15
    seen = ""
    for rule in rules:
        for command in [line for name, line in commands if name == rule][:most]:
            arguments = {"cwd": tmp_path, "env": {"PATH": f"{tmp_path}:/bin"}, "stdin": subprocess.DEVNULL}
            subprocess.run(["bash", "-c", command], check=True, **arguments)
            words = (tmp_path / "words").read_text().split("\0")[:-1]
            expected = shlex.split(command)
            assert words == expected[expected.index("python") + 1 :], rule
            settings = [word.removeprefix("<<<") for word in words if word.startswith(("{", "<<<{"))]
            assert all(map(json.loads, settings)), "settings are one word"
            seen += "\n".join(words)
    assert harmed(tmp_path) == []
    forms = {text: (text, json.dumps(text, ensure_ascii=False)[1:-1]) for text in texts(overlay)}
    assert [text for text, written in forms.items() if not any(form in seen for form in written)] == []


@pytest.mark.faults
def test_jobs_run_with_harmful_names(new_project, overlay, tmp_path):
    project = new_project()
    counts = f"{overlay['pathvars']['resources']}/counts/mine.tsv"
    vocabulary = f"{overlay['pathvars']['results']}/words/mine/vocabulary.tsv"
    table = f"{overlay['pathvars']['results']}/partial/words/mine/table1.md"
    call(project, overlay, tmp_path, "", counts, vocabulary, table)
    assert (project.root / counts).read_text() == "word\tcount\ntick\t40\ntock\t40\n"
    assert (project.root / vocabulary).read_text() == "word\tcount\ntick\t40\ntock\t40\n"
    assert "HARM" in (project.root / table).read_text(encoding="utf-8")
    assert harmed(project.root, tmp_path) == []


def nested(keys: tuple[str, ...], value: str) -> dict:
    for key in reversed(keys):
        value = {key: value}
    return value


LABELS = [
    ("corpora", "mine", "title"),
    ("words", "runs", "standard", "tril", "row"),
    ("sentences", "datasets", "ptb", "row"),
    ("sentences", "runs", "ptb", "smim-16", "row"),
]
FOLDERS = [("pathvars", "results"), ("pathvars", "resources")]
REFUSED = [
    *((key, "--out", "hyphen") for key in (*LABELS, *FOLDERS)),
    *(
        (key, f"a{odd}b", ": write it on one line")
        for key in (*LABELS, *FOLDERS)
        for odd in "\n\r\0\x1b\ud800"
    ),
    *((key, "a {wildcards} b", "without a hyphen at its beginning") for key in FOLDERS),
    (("words", "corpora"), ["x; touch HARM"], "must be lower-case letters, digits and hyphens"),
    (("sentences", "figures", "pairs", "runs"), ["$(x)"], "must be lower-case letters, digits and hyphens"),
]


@pytest.mark.parametrize(("key", "value", "message"), REFUSED)
def test_texts_that_cannot_be_passed_on_are_refused(tmp_path, key, value, message):
    file = tmp_path / "mine.yaml"
    mine = {"corpora": {"mine": {"path": "/", "kind": "text"}}}
    mine.setdefault(key[0], {})
    file.write_text(yaml.safe_dump(mine), encoding="utf-8")
    other = tmp_path / "other.json"
    other.write_text(json.dumps(nested(key, value)))
    files = [PAPER, file, other]
    with pytest.raises(UserError) as error:
        check(merged(files), files, REGISTRY, find({}, str))
    assert str(error.value).startswith(f"{other}: {'.'.join(key)}")
    assert message in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["a {wildcards}.txt", "a\nb.txt", "}.txt", "sub/a\n.txt"])
def test_file_names_that_snakemake_cannot_handle_are_refused(tmp_path, name):
    (tmp_path / "sub").mkdir()
    (tmp_path / name).touch()
    with pytest.raises(UserError, match="has braces or control characters in its name; rename it"):
        registry.load(ROOT / "workflow/corpora.yaml", {"mine": {"path": str(tmp_path), "kind": "text"}})
