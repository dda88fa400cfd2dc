from textlvm.experiment.experiment import load_files
from unit.overlay import PAPER


def planned(name, *files):
    runs = [run for run in load_files([PAPER, *files]).runs if (run.paper, run.name) == ("words", name)]
    return [run for run in runs if run.split == "standard"], [run for run in runs if run.split != "standard"]


def test_further_draws_of_the_unseen_split_have_separate_folders():
    _, runs = planned("oracle")
    assert [run.split for run in runs] == ["unseen", *(f"unseen-{draw}" for draw in range(1, 10))]
    assert {run.draw_of for run in runs} == {"unseen"}
    assert {run.folders()[0][-2] for run in runs} == {("oracle", ("words", "runs", "unseen"))}
    assert [run.data["split"]["seed"] for run in runs] == list(range(10))
    assert [len(run.seeds) for run in runs] == [3, 3, 3, *[1] * 7]
    assert {row.table for run in runs for row in run.rows} == {2}


def test_seeds_of_an_entry_replace_those_of_the_paper(tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(
        "words: {runs: {standard: {baseline-8d: {seeds: [7]}}, unseen: {baseline-8d: {seeds: [5, 6]}}}}"
    )
    (standard,), unseen = planned("baseline-8d", overlay)
    assert standard.seeds == (7,)
    assert [run.seeds for run in unseen] == [(5, 6)] * 3 + [(5,)] * 7
    assert {run.seeds for run in planned("tril", overlay)[0]} == {(0, 1, 2)}
