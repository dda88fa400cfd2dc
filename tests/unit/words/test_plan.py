from textlvm.experiment.experiment import load_files
from unit.overlay import PAPER

RUNS = [run for run in load_files([PAPER]).runs if run.paper == "words"]


def test_further_draws_of_the_unseen_split_have_separate_folders():
    runs = [run for run in RUNS if run.name == "oracle" and run.split != "standard"]
    assert [run.split for run in runs] == ["unseen", *(f"unseen-{draw}" for draw in range(1, 10))]
    assert [run.draw_of for run in runs] == ["", *["unseen"] * 9]
    assert [run.data["split"]["seed"] for run in runs] == list(range(10))
    assert [len(run.seeds) for run in runs] == [3, 3, 3, *[1] * 7]
    assert {row.table for run in runs for row in run.rows} == {2}
