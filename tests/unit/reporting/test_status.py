import re
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from snakemake.utils import update_config

from plans import planned
from textlvm.experiment import config
from textlvm.experiment.experiment import load_files
from textlvm.reporting import status
from textlvm.reporting.progress import SeedStatus, State
from textlvm.runtime.errors import UserError

ROOT = Path(__file__).parents[3]


def run(paper="words", corpus="gutenberg", dataset="", name="tril"):
    return planned(name, paper=paper, corpus=corpus, dataset=dataset)


TRIL, MINE, SMIM = run(), run(corpus="mine"), run("sentences", "ptb", "ptb", "smim-16")
STAND_IN = run("sentences", "documentation", "yahoo", "smim-32")


def seed_status(run, seed, state, **details):
    return SeedStatus(run=run, seed=seed, state=state, **details)


TRAINING = {"stage": "training"}
EXAMPLE = [
    seed_status(TRIL, 0, State.DONE, step=15000, steps=15000, loss=11.876, device="CPU (x86_64)"),
    seed_status(TRIL, 1, State.RUNNING, **TRAINING, step=7350, steps=15000, loss=12.25, seconds_left=110.0),
    seed_status(TRIL, 2, State.WAITING),
    seed_status(
        SMIM, 0, State.FAILED, **TRAINING, step=300, steps=9000, loss=80.1,
        reason="the loss became nan at step 312", log=Path("results/logs/train.log"),
    ),
    seed_status(STAND_IN, 0, State.INTERRUPTED, **TRAINING, step=5, steps=10, loss=1.0),
]  # fmt: skip


def test_all_seeds_are_listed_in_groups_with_totals():
    assert status.render(EXAMPLE, list_all=True).splitlines() == [
        "1 of 5 done, 1 running, 1 interrupted, 1 failed, 1 waiting in all",
        "  run              seed  state        stage            step    loss    left  device",
        "words, gutenberg: 1 of 3 done, 1 running, 1 waiting",
        "  standard/tril       0  done                   15000/15000   11.88          CPU (x86_64)",
        "  standard/tril       1  running      training   7350/15000   12.25   2 min",
        "  standard/tril       2  waiting",
        "sentences, ptb: 0 of 1 done, 1 failed",
        "  smim-16             0  failed       training     300/9000    80.1",
        "      the loss became nan at step 312 (results/logs/train.log)",
        "sentences, yahoo (documentation): 0 of 1 done, 1 interrupted",
        "  smim-32             0  interrupted  training         5/10       1",
    ]


def test_done_and_waiting_seeds_are_only_counted_by_default():
    assert status.render(EXAMPLE).splitlines() == [
        "1 of 5 done, 1 running, 1 interrupted, 1 failed, 1 waiting in all",
        "  run              seed  state        stage           step    loss    left  device",
        "words, gutenberg: 1 of 3 done, 1 running, 1 waiting",
        "  standard/tril       1  running      training  7350/15000   12.25   2 min",
        "sentences, ptb: 0 of 1 done, 1 failed",
        "  smim-16             0  failed       training    300/9000    80.1",
        "      the loss became nan at step 312 (results/logs/train.log)",
        "sentences, yahoo (documentation): 0 of 1 done, 1 interrupted",
        "  smim-32             0  interrupted  training        5/10       1",
    ]


def test_start_command_is_shown_if_nothing_is_running():
    waiting = [seed_status(TRIL, seed, State.WAITING) for seed in TRIL.seeds]
    assert status.render(waiting).splitlines() == [
        "0 of 3 done, 3 waiting in all",
        "words, gutenberg: 0 of 3 done, 3 waiting",
        "Nothing is running. To start: snakemake --cores 8",
    ]
    assert "To start" not in status.render([EXAMPLE[0]])


def test_narrow_terminal_has_fewer_columns():
    headers = {
        width: status.render(EXAMPLE, width, list_all=True).splitlines()[1].split()
        for width in (110, 80, 60, 50, 40)
    }
    assert headers[110] == ["run", "seed", "state", "stage", "step", "loss", "left", "device"]
    assert headers[80] == ["run", "seed", "state", "stage", "step", "loss", "left"]
    assert headers[60] == ["run", "seed", "state", "step", "left"]
    assert headers[50] == ["run", "seed", "state", "step"]
    assert headers[40] == ["run", "seed", "state"]


def test_output_is_cut_to_the_terminal_height():
    lines = status.render(EXAMPLE, height=4).splitlines()
    assert lines == [*status.render(EXAMPLE).splitlines()[:3], "…"]


@st.composite
def seed_statuses(draw):
    """The status of all seeds of four runs, in the order of the plan."""
    values = st.fixed_dictionaries(
        {
            "state": st.sampled_from(State),
            "stage": st.sampled_from(["", "training", "evaluation"]),
            "loss": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "seconds_left": st.none() | st.floats(0, 1e8),
            "device": st.sampled_from(["", "NVIDIA H200"]),
            "reason": st.sampled_from(["", "no space left " * 20]),
        }
    )
    planned = [(each, seed) for each in (TRIL, MINE, SMIM, STAND_IN) for seed in each.seeds]
    return [SeedStatus(run=each, seed=seed, **draw(values), log=Path("x.log")) for each, seed in planned]


@settings(deadline=None, max_examples=50)
@given(seed_statuses(), st.none() | st.integers(20, 200), st.none() | st.integers(3, 60))
def test_output_fits_the_terminal_and_counts_add_up(seeds, width, height):
    lines = status.render(seeds, width, height, list_all=True).splitlines()
    assert width is None or max(map(len, lines)) <= width
    assert height is None or len(lines) <= height
    counts = re.findall(r"(\d+) [a-z]+", re.sub(r" of \d+", "", status.totals(seeds)))
    assert sum(map(int, counts)) == len(seeds)
    if width is None and height is None:
        totals = [re.search(r": (\d+) of (\d+) done", line) for line in lines]
        assert sum(int(total[2]) for total in totals if total) == len(seeds)
        rows = [line for line in lines if re.match(r"  \S+ +\d ", line)]
        assert len(rows) == len(seeds)


trees = st.recursive(
    st.none() | st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
    lambda values: st.dictionaries(st.sampled_from("abc"), values, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), trees, max_size=3), min_size=1, max_size=3))
@example([{"a": 0}, {"a": {}}])
def test_configuration_files_are_merged_as_by_snakemake(tmp_path_factory, contents):
    folder = tmp_path_factory.mktemp("files")
    merged = {}
    for i, content in enumerate(contents):
        (folder / f"{i}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        update_config(merged, yaml.safe_load(yaml.safe_dump(content)))
    assert config.merged([folder / f"{i}.yaml" for i in range(len(contents))]) == merged


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"cannot read .*mine\.yaml"),
        ("wrods: {}\n", r"mine\.yaml: unknown key 'wrods'; did you mean 'words'"),
    ],
)
def test_invalid_configuration_gives_a_one_line_error(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(ROOT)
    file = tmp_path / "mine.yaml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        load_files([Path("config.yaml"), file])
    assert "\n" not in str(caught.value)


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """A function that runs the command in the project's folder, without results, and returns its output."""
    monkeypatch.chdir(ROOT)
    overlay = tmp_path / "elsewhere.yaml"
    overlay.write_text(yaml.safe_dump({"pathvars": {"results": str(tmp_path)}}), encoding="utf-8")

    def call(*words):
        options = status._arguments().parse_args(["--configfile", str(overlay), *words])
        status.main(options)
        return capsys.readouterr().out

    return call


def test_command_without_results_prints_totals_and_start_command(command, tmp_path):
    runs = load_files([Path("config.yaml")]).runs
    planned = sum(len(each.seeds) for each in runs)
    total, *groups, start = command().splitlines()
    assert total == f"0 of {planned} done, {planned} waiting in all"
    assert len(groups) == len({tuple(each.path.split("/")[:2]) for each in runs})
    assert start.endswith(f"snakemake --cores 8 --configfile {tmp_path / 'elsewhere.yaml'}")


def test_option_all_lists_every_planned_seed(command):
    planned = [(each, seed) for each in load_files([Path("config.yaml")]).runs for seed in each.seeds]
    text = command("--all")
    assert text.startswith(f"0 of {len(planned)} done, {len(planned)} waiting in all\n")
    for each, seed in planned:
        assert re.search(rf"^  \S*{each.name} +{seed}  waiting$", text, flags=re.MULTILINE)
    assert "\x1b" not in text


def test_watch_ends_when_all_seeds_are_done(command, monkeypatch):
    updates = [EXAMPLE, EXAMPLE, [EXAMPLE[0]]]
    pauses = []
    monkeypatch.setattr(status, "seed_statuses", lambda runs, results: updates.pop(0))
    monkeypatch.setattr(status.time, "sleep", pauses.append)
    text = command("--all", "--watch", "5")
    assert (updates, pauses) == ([], [5.0, 5.0])
    assert text.count("of 5 done") == 2
    assert text.endswith("CPU (x86_64)\n")


def test_watch_redraws_the_terminal_and_ends_with_ctrl_c(command, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(status, "seed_statuses", lambda runs, results: EXAMPLE)
    monkeypatch.setattr(status.time, "sleep", interrupt)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "9")
    try:
        text = command("--watch", "5")
    except KeyboardInterrupt:
        pytest.fail("Ctrl-C is not caught")
    assert text.startswith("\x1b[2J\x1b[H1 of 5 done")
    shown = re.sub(r"\x1b\[\w+", "", text).splitlines()
    assert len(shown) <= 8
    assert max(map(len, shown)) <= 60


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_invalid_watch_interval_is_rejected(command, capsys, seconds):
    with pytest.raises(SystemExit):
        command(f"--watch={seconds}")
    message = f"argument --watch: expected a number greater than 0, not '{seconds}'\n"
    assert capsys.readouterr().err.endswith(message)
