"""envs/bin/snakemake moves targets that Snakemake would read as values of an option."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snakemake.cli import get_argument_parser

ROOT = Path(__file__).parents[2]
FILE = ROOT / "envs" / "bin" / "snakemake"


# Command lines as typed and as passed to Snakemake.
MOVED = [
    ("--cores 8 --resources gpu=2 results/table1.csv", "--cores 8 --resources gpu=2 -- results/table1.csv"),
    ("--resources gpu=2 mem_mb=9 a b", "--resources gpu=2 mem_mb=9 -- a b"),
    ("--resources gpu=2 a --cores 8 -n", "--resources gpu=2 --cores 8 -n -- a"),
    ("-C x=1 a -c1", "-C x=1 -c1 -- a"),
    ("--default-resources a", "--default-resources -- a"),
    # Other targets follow an explicit `--` or precede the first option.
    ("--resources gpu=2 a -- b", "--resources gpu=2 -- a b"),
    ("--resources gpu=2 a --config x=1 b", "--resources gpu=2 --config x=1 -- a b"),
    ("a --resources gpu=2 b", "--resources gpu=2 -- a b"),
    ("a b -n -- c", "-n -- a b c"),
    # Abbreviations and combined flags.
    ("--resourc gpu=2 a", "--resourc gpu=2 -- a"),
    ("-nq t/a.csv", "-nq -- t/a.csv"),
    # Choices that Snakemake defines.
    ("--quiet results/table1.csv", "--quiet -- results/table1.csv"),
    ("--quiet rules progress tables -n", "--quiet rules progress -n -- tables"),
    ("-q all tables", "-q all -- tables"),
    ("--sdm conda apptainer a", "--sdm conda apptainer -- a"),
    ("--dag a -n", "--dag -n -- a"),
    # Names.
    ("--cache words_train t/a.csv", "--cache words_train -- t/a.csv"),
    ("--envvars HOME a.csv", "--envvars HOME -- a.csv"),
    ("--report a.html b/c.csv", "--report a.html -- b/c.csv"),
    ("--report b/c.csv", "--report -- b/c.csv"),
    # Configuration files are not targets, and outputs of the workflow are not configuration files.
    ("--configfile a.yaml b.yml c.json tables", "--configfile a.yaml b.yml c.json -- tables"),
    ("--configfile a results/seed0/metrics.json", "--configfile a -- results/seed0/metrics.json"),
    ("--configfiles a.json t/table12.json -n", "--configfiles a.json -n -- t/table12.json"),
    # Rules after rules, and files with the same suffix.
    ("--forcerun words_train results/table1.csv", "--forcerun words_train -- results/table1.csv"),
    ("--forcerun words_train words_evaluate t.csv", "--forcerun words_train words_evaluate -- t.csv"),
    ("-R s/0/m.json s/1/m.json results/t.csv", "-R s/0/m.json s/1/m.json -- results/t.csv"),
    ("-R s/0/m.json all", "-R s/0/m.json -- all"),
    ("-U a/b.json a/b.csv", "-U a/b.json -- a/b.csv"),
]
UNCHANGED = [
    "",
    "results/table1.csv",
    "results/table1.csv --resources gpu=2",
    "--resources gpu=2 --cores 8 results/table1.csv",
    "--resources=gpu=2 results/table1.csv",
    "--resources gpu=2 -- results/table1.csv",
    "--forcerun a b -- t",
    "--forcerun t/table1.csv t/table2.csv",
    "--forcerun=a b",
    "--force a b.csv",
    "--until a b --cores 1",
    "--configfile a.yaml -- t",
    "--configfile results/seed0/metrics.json",
    "--quiet all",
    "--report results/index.html",
    "--wait-for-files a b.csv",
    "--profile workflow/profiles/slurm results/table1.csv",
    "--set-resources base64//abc base64//def",
    "-- --resources gpu=2 a",
]


@pytest.mark.parametrize(("line", "expected"), MOVED)
def test_targets_that_an_option_would_consume_are_moved(front_end, line, expected):
    assert front_end.separate_targets(line.split()) == expected.split()
    # Snakemake's parser then reads them as targets.
    read = get_argument_parser().parse_args(expected.split())
    assert sorted(read.targets) == sorted(expected.partition("-- ")[2].split())


@pytest.mark.parametrize("line", [*UNCHANGED, *(expected for _, expected in MOVED)])
def test_correct_command_lines_are_unchanged(front_end, line):
    assert front_end.separate_targets(line.split()) == line.split()


WORDS = st.lists(
    st.sampled_from(
        [
            *("--resources", "--config", "-C", "--cores", "-n", "--forcerun", "--until", "--quiet", "-nq"),
            *("--configfile", "--", "x=1", "a=", "t", "all", "u.csv", "v.csv", "a.yaml", "metrics.json"),
        ]
    ),
    max_size=8,
)


@given(words=WORDS)
def test_separation_of_targets_loses_no_word_and_is_idempotent(front_end, words):
    separated = front_end.separate_targets(words)
    assert sorted(separated) == sorted(words) or sorted(separated) == sorted([*words, "--"])
    assert front_end.separate_targets(separated) == separated


# Options that take only files, which cannot be distinguished from targets, and one that only Snakemake uses.
UNDECIDED = {
    *("--wait-for-files", "--unneeded-temp-files", "--cleanup-metadata", "--cm", "--generate-unit-tests"),
    "--target-jobs",
}
ACTIONS = get_argument_parser()._actions
CONSUMING = [action for action in ACTIONS if action.option_strings and str(action.nargs) in ("+", "*", "?")]


def test_options_are_those_of_snakemake(front_end):
    """All options that may consume a target are listed; a new one in a later Snakemake fails here."""
    several = {spelling for action in CONSUMING for spelling in action.option_strings}
    assert set(front_end.VALUES) == several - UNDECIDED
    assert several > UNDECIDED
    assert several >= front_end.CONFIG | front_end.CONFIGURING


@pytest.mark.parametrize("action", CONSUMING, ids=lambda action: action.option_strings[0])
def test_values_are_those_of_snakemake(front_end, action):
    for option in set(action.option_strings) & set(front_end.VALUES):
        test = front_end.VALUES[option]
        assert "=" not in str(action.metavar) or test is front_end.is_assignment
        # The available loggers depend on the installed plugins.
        if action.choices and option != "--logger":
            words = [str(getattr(choice, "value", choice)) for choice in action.choices]
            assert all(test(word, []) and test(word, words) for word in words)
            assert not test("results/table1.csv", words)
            assert test("results/table1.csv", []) == (action.nargs == "+")


def test_abbreviated_options_are_recognized(front_end):
    long = {spelling for action in ACTIONS for spelling in action.option_strings if spelling[:2] == "--"}
    for word in {option[:end] for option in front_end.VALUES for end in range(3, len(option))} - {"--"}:
        meant = {word} & long or {option for option in long if option.startswith(word)}
        if len(meant) == 1:  # Snakemake rejects ambiguous ones
            (option,) = meant
            assert front_end.VALUES.get(front_end.full_name(word)) == front_end.VALUES.get(option), word
    flags = {spelling[1] for action in ACTIONS if action.nargs == 0 for spelling in action.option_strings}
    assert set(front_end.FLAGS) == flags - {"-"}


def test_json_outputs_of_the_workflow_are_not_configuration_files(front_end):
    rules = [path.read_text(encoding="utf-8") for path in (ROOT / "workflow").rglob("*.smk")]
    created = {name for text in rules for name in re.findall(r"<results>/[^\"]*/([^/\"]+\.json)\"", text)}
    assert len(created) > 5
    for name in created:
        assert front_end.CREATED.fullmatch(name.replace("{table}", "9").replace("{n}", "9")), name


def test_only_all_and_tables_have_no_output():
    rules = re.findall(r"^rule (\w+):\n((?:    .*\n|\n)*)", (ROOT / "Snakefile").read_text(), re.MULTILINE)
    assert {name for name, block in rules if "output:" not in block} == {"all", "tables"}


@pytest.mark.parametrize(
    ("line", "expanded"),
    [
        ("--configfile ~/mine.yaml", "/home/me/mine.yaml"),
        ("--configfile=~/mine.yaml -n", "--configfile=/home/me/mine.yaml"),
        ("--directory $HOME/runs", "/home/me/runs"),
        ("-n -- ~/out/table1.csv", "/home/me/out/table1.csv"),
        ("-n $NOWHERE/table1.csv", None),
    ],
)
def test_unexpanded_path_is_reported_with_its_expansion(front_end, monkeypatch, line, expanded):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("NOWHERE", raising=False)
    message = front_end.find_error(line.split())
    assert message.startswith("~ and $ are not expanded in '")
    assert message.endswith(f": write '{expanded}'" if expanded else ": write the whole path")


def test_tilde_and_dollar_elsewhere_are_accepted(front_end):
    assert front_end.find_error(["-n", "a~", "results/a$b", "--config", "title=~5 for $5"]) is None


def test_next_snakemake_on_the_path_is_run(tmp_path):
    real = tmp_path / "bin" / "snakemake"
    real.parent.mkdir()
    real.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    real.chmod(0o755)
    bins = [FILE.parent, FILE.parent / ".", real.parent, Path(sys.executable).parent]
    path = os.pathsep.join([*map(str, bins), os.environ["PATH"]])
    line = ["snakemake", "--config", "a= x", "results/a b.csv"]
    output = subprocess.run(line, env={"PATH": path}, capture_output=True, text=True, check=True)
    assert output.stdout == "--rerun-incomplete|--keep-going|--config|a= x|--|results/a b.csv|"


def test_front_ends_of_several_clones_do_not_call_each_other(tmp_path):
    other, program = tmp_path / "other" / "envs" / "bin", tmp_path / "bin"
    for folder in (other, program):
        folder.mkdir(parents=True)
    (other.parent / "activate").touch()
    (other / "snakemake").write_text(f'#!/bin/sh\nexec {FILE} "$@"\n')
    (program / "snakemake").write_text('#!/bin/sh\necho "$@"\n')
    for folder in (other, program):
        (folder / "snakemake").chmod(0o755)
    path = os.pathsep.join([str(FILE.parent), str(other), str(program), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, FILE, "-n"], env={"PATH": path}, capture_output=True, text=True, timeout=30
    )
    assert done.stdout.split()[-1] == "-n"
    assert done.stdout.count("--keep-going") == 1


def test_missing_snakemake_gives_one_error_message():
    line, alone = [sys.executable, str(FILE)], {"PATH": str(FILE.parent)}
    result = subprocess.run(line, env=alone, capture_output=True, text=True, check=False)
    message = "error: there is no snakemake in this shell: run `make env`, then `. envs/activate`\n"
    assert (result.returncode, result.stderr) == (1, message)


def test_missing_home_folder_gives_one_error_message(front_end, monkeypatch):
    def homeless():
        raise RuntimeError

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(front_end.Path, "home", homeless)
    assert front_end.cache_error().startswith("there is no home folder for Snakemake's cache: set HOME to ")
