"""envs/bin/snakemake: moves targets that Snakemake would read as values, and nothing else."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snakemake.cli import get_argument_parser

FILE = Path(__file__).parents[2] / "envs" / "bin" / "snakemake"


@pytest.fixture(scope="module")
def front_end():
    loader = importlib.machinery.SourceFileLoader("front_end", str(FILE))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


MOVED = [
    ("--cores 8 --resources gpu=2 results/table1.csv", "--cores 8 --resources gpu=2 -- results/table1.csv"),
    ("--resources gpu=2 mem_mb=9 a b", "--resources gpu=2 mem_mb=9 -- a b"),
    ("--resources gpu=2 a --cores 8 -n", "--resources gpu=2 --cores 8 -n -- a"),
    ("--res gpu=2 all", "--res gpu=2 -- all"),
    ("--config x=1 a", "--config x=1 -- a"),
    ("-C x=1 a -c1", "-C x=1 -c1 -- a"),
    ("--set-threads r=2 a", "--set-threads r=2 -- a"),
    ("--set-resources r:gpu=0 a", "--set-resources r:gpu=0 -- a"),
    ("--default-resources slurm_account=me a", "--default-resources slurm_account=me -- a"),
    ("--default-resources a", "--default-resources -- a"),
    # Behind an explicit `--` there are targets already.
    ("--resources gpu=2 a -- b", "--resources gpu=2 -- a b"),
    ("--resources gpu=2 a --config x=1 b", "--resources gpu=2 --config x=1 -- a b"),
]
LEFT = [
    "",
    "-n",
    "results/table1.csv",
    "--cores 8 results/table1.csv",
    "results/table1.csv --resources gpu=2",
    "--resources gpu=2 --cores 8 results/table1.csv",
    "--resources=gpu=2 results/table1.csv",
    "--resources gpu=2 -- results/table1.csv",
    "--forcerun a b -- t",
    "--forcerun a b",
    "--until a b --cores 1",
    "--configfile a.yaml -- t",
    "--profile workflow/profiles/slurm results/table1.csv",
    "--default-resources mem_mb=base64//x --cores 1",
    "--set-resources base64//abc base64//def",
    "-- --resources gpu=2 a",
]


@pytest.mark.parametrize(("line", "expected"), MOVED)
def test_targets_behind_assignments_are_moved(front_end, line, expected):
    assert front_end.untangle(line.split()) == expected.split()


@pytest.mark.parametrize("line", [*LEFT, *(expected for _, expected in MOVED)])
def test_correct_lines_stay_as_they_are(front_end, line):
    assert front_end.untangle(line.split()) == line.split()


WORDS = st.lists(
    st.sampled_from(
        ["--resources", "--config", "-C", "--cores", "-n", "--forcerun", "x=1", "a=", "t", "u.csv", "--"]
    ),
    max_size=8,
)


@given(words=WORDS)
def test_no_word_is_lost_and_once_is_enough(front_end, words):
    untangled = front_end.untangle(words)
    assert sorted(untangled) == sorted(words) or sorted(untangled) == sorted([*words, "--"])
    assert front_end.untangle(untangled) == untangled


def test_the_options_are_snakemakes_own(front_end):
    """Those that take several KEY=VALUE, by their help; a new one in a later Snakemake would fail here."""
    several = {
        spelling
        for action in get_argument_parser()._actions
        if action.nargs in ("+", "*") and "=" in str(action.metavar or "")
        for spelling in action.option_strings
    }
    assert several - front_end.ASSIGNING == set()
    # Snakemake gives these no metavar.
    assert front_end.ASSIGNING - several == {"--groups", "--group-components"}


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("--configfile ~/mine.yaml", "/home/me/mine.yaml"),
        ("--configfile=~/mine.yaml -n", "--configfile=/home/me/mine.yaml"),
        ("--directory $HOME/runs", "/home/me/runs"),
        ("-n -- ~/out/table1.csv", "/home/me/out/table1.csv"),
        ("-n $NOWHERE/table1.csv", None),
    ],
)
def test_a_path_that_only_a_shell_could_read(front_end, monkeypatch, line, meant):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("NOWHERE", raising=False)
    said = front_end.mistake(line.split())
    assert said.startswith("nothing replaces ~ or $ in '")
    assert said.endswith(f": write '{meant}'" if meant else ": write the whole path")


def test_other_words_may_have_a_tilde_or_a_dollar(front_end):
    assert front_end.mistake(["-n", "a~", "results/a$b", "--config", "title=~5 for $5"]) is None


def test_the_next_snakemake_on_the_path_runs(tmp_path):
    real = tmp_path / "bin" / "snakemake"
    real.parent.mkdir()
    real.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    real.chmod(0o755)
    bins = [FILE.parent, FILE.parent / ".", real.parent, Path(sys.executable).parent]
    path = os.pathsep.join([*map(str, bins), os.environ["PATH"]])
    output = subprocess.run(
        ["snakemake", "--config", "a= x", "results/a b.csv"],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert output.stdout == "--rerun-incomplete|--keep-going|--config|a= x|--|results/a b.csv|"


def test_without_snakemake_one_sentence_says_what_to_do():
    result = subprocess.run(
        [sys.executable, str(FILE)],
        env={"PATH": str(FILE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert (
        result.stderr
        == "error: there is no snakemake in this shell: run `make env`, then `. envs/activate`\n"
    )
