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
from textlvm.reporting.progress import Standing, State
from textlvm.runtime.errors import UserError

ROOT = Path(__file__).parents[3]


def run(paper="words", corpus="gutenberg", dataset="", name="tril"):
    return planned(name, paper=paper, corpus=corpus, dataset=dataset)


TRIL, MINE, SMIM = run(), run(corpus="mine"), run("sentences", "ptb", "ptb", "smim-16")
STAND_IN = run("sentences", "documentation", "yahoo", "smim-32")


def standing(run, seed, state, **known):
    return Standing(run=run, seed=seed, state=state, **known)


TRAINING = {"stage": "training"}
EXAMPLE = [
    standing(TRIL, 0, State.DONE, step=15000, steps=15000, loss=11.876, device="CPU (x86_64)"),
    standing(TRIL, 1, State.RUNNING, **TRAINING, step=7350, steps=15000, loss=12.25, seconds_left=110.0),
    standing(TRIL, 2, State.WAITING),
    standing(
        SMIM, 0, State.FAILED, **TRAINING, step=300, steps=9000, loss=80.1,
        reason="the loss became nan at step 312", log=Path("results/logs/train.log"),
    ),
    standing(STAND_IN, 0, State.INTERRUPTED, **TRAINING, step=5, steps=10, loss=1.0),
]  # fmt: skip


def test_with_all_seeds_are_listed_in_groups_with_totals():
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


def test_by_default_seeds_that_are_done_or_waiting_are_only_counted():
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


def test_where_nothing_is_running_it_says_how_to_start():
    waiting = [standing(TRIL, seed, State.WAITING) for seed in TRIL.seeds]
    assert status.render(waiting).splitlines() == [
        "0 of 3 done, 3 waiting in all",
        "words, gutenberg: 0 of 3 done, 3 waiting",
        "Nothing is running. To start: snakemake --cores 8",
    ]
    assert "To start" not in status.render([EXAMPLE[0]])


def test_a_narrow_terminal_does_without_what_is_least_needed():
    headers = {
        width: status.render(EXAMPLE, width, list_all=True).splitlines()[1].split()
        for width in (110, 80, 60, 50, 40)
    }
    assert headers[110] == ["run", "seed", "state", "stage", "step", "loss", "left", "device"]
    assert headers[80] == ["run", "seed", "state", "stage", "step", "loss", "left"]
    assert headers[60] == ["run", "seed", "state", "step", "left"]
    assert headers[50] == ["run", "seed", "state", "step"]
    assert headers[40] == ["run", "seed", "state"]


def test_a_low_terminal_shows_the_first_lines():
    lines = status.render(EXAMPLE, height=4).splitlines()
    assert lines == [*status.render(EXAMPLE).splitlines()[:3], "…"]


@st.composite
def standings(draw):
    """Standings of some seeds, in the order of the plan."""
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
    return [Standing(run=each, seed=seed, **draw(values), log=Path("x.log")) for each, seed in planned]


@settings(deadline=None, max_examples=50)
@given(standings(), st.none() | st.integers(20, 200), st.none() | st.integers(3, 60))
def test_it_fits_and_its_numbers_add_up(each, width, height):
    lines = status.render(each, width, height, list_all=True).splitlines()
    assert width is None or max(map(len, lines)) <= width
    assert height is None or len(lines) <= height
    counts = re.findall(r"(\d+) [a-z]+", re.sub(r" of \d+", "", status.counted(each)))
    assert sum(map(int, counts)) == len(each)
    if width is None and height is None:
        totals = [re.search(r": (\d+) of (\d+) done", line) for line in lines]
        assert sum(int(total[2]) for total in totals if total) == len(each)
        rows = [line for line in lines if re.match(r"  \S+ +\d ", line)]
        assert len(rows) == len(each)


trees = st.recursive(
    st.none() | st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
    lambda values: st.dictionaries(st.sampled_from("abc"), values, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), trees, max_size=3), min_size=1, max_size=3))
@example([{"a": 0}, {"a": {}}])
def test_files_are_merged_as_by_snakemake(tmp_path_factory, contents):
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
def test_a_wrong_configuration_is_one_sentence(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(ROOT)
    file = tmp_path / "mine.yaml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        load_files([Path("config.yaml"), file])
    assert "\n" not in str(caught.value)


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Calls the command as from the project's folder, with results elsewhere; gives what it prints."""
    monkeypatch.chdir(ROOT)
    overlay = tmp_path / "elsewhere.yaml"
    overlay.write_text(yaml.safe_dump({"pathvars": {"results": str(tmp_path)}}), encoding="utf-8")

    def call(*words):
        options = status._arguments().parse_args(["--configfile", str(overlay), *words])
        status.main(options)
        return capsys.readouterr().out

    return call


def test_without_any_result_a_summary_says_how_to_start(command, tmp_path):
    runs = load_files([Path("config.yaml")]).runs
    planned = sum(len(each.seeds) for each in runs)
    total, *groups, start = command().splitlines()
    assert total == f"0 of {planned} done, {planned} waiting in all"
    assert len(groups) == len({tuple(each.path.split("/")[:2]) for each in runs})
    assert start.endswith(f"snakemake --cores 8 --configfile {tmp_path / 'elsewhere.yaml'}")


def test_with_all_every_planned_seed_is_listed_without_any_result(command):
    planned = [(each, seed) for each in load_files([Path("config.yaml")]).runs for seed in each.seeds]
    text = command("--all")
    assert text.startswith(f"0 of {len(planned)} done, {len(planned)} waiting in all\n")
    for each, seed in planned:
        assert re.search(rf"^  \S*{each.name} +{seed}  waiting$", text, flags=re.MULTILINE)
    assert "\x1b" not in text


def test_it_watches_until_all_is_done(command, monkeypatch):
    looks = [EXAMPLE, EXAMPLE, [EXAMPLE[0]]]
    pauses = []
    monkeypatch.setattr(status, "standings", lambda planned, results: looks.pop(0))
    monkeypatch.setattr(status.time, "sleep", pauses.append)
    text = command("--all", "--watch", "5")
    assert (looks, pauses) == ([], [5.0, 5.0])
    assert text.count("of 5 done") == 2
    assert text.endswith("CPU (x86_64)\n")


def test_it_draws_over_a_terminal_and_ends_quietly_with_ctrl_c(command, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(status, "standings", lambda planned, results: EXAMPLE)
    monkeypatch.setattr(status.time, "sleep", interrupt)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "9")
    try:
        text = command("--watch", "5")
    except KeyboardInterrupt:
        pytest.fail("Ctrl-C comes through")
    assert text.startswith("\x1b[2J\x1b[H1 of 5 done")
    shown = re.sub(r"\x1b\[\w+", "", text).splitlines()
    assert len(shown) <= 8
    assert max(map(len, shown)) <= 60


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_no_other_time_is_taken(command, capsys, seconds):
    with pytest.raises(SystemExit):
        command(f"--watch={seconds}")
    assert "--watch" in capsys.readouterr().err
