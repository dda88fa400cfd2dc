import json
import random

import pandas as pd
import pytest

from hostile import HOSTILE, shown
from textlvm.reporting.figures import save
from textlvm.runtime.errors import UserError
from textlvm.words import figures


def entropy_file(path, gaps):
    """Writes an entropy.csv; `gaps` lists the gaps of each trajectory by position."""
    lines = ["position,trajectory,h_marginal,h_expected,h_gap"]
    for trajectory, word in enumerate(gaps):
        lines += [f"{t},{trajectory},{gap + 1},1.0,{gap}" for t, gap in enumerate(word, start=1)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def curve_file(path, level=1.0):
    points = [{"step": step, "loss": 12.0} for step in range(0, 1000, 50)]
    for point in points[::4]:
        point |= {"h_marginal": 1.5 + level, "h_expected": 1.5, "h_gap": level}
    text = [json.dumps(point) for point in [*points, {"step": 1000, "done": True}]]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def words(count, seed=0):
    generator = random.Random(seed)
    return [
        [generator.gammavariate(4, 0.5 / (1 + t)) for t in range(generator.randint(2, 8))]
        for _ in range(count)
    ]


def call(*arguments):
    figures.main(figures._arguments().parse_args([str(a) for a in arguments]))


def baseline_file(folder, **changes):
    """Writes the metrics.json of a baseline; keywords override, `None` leaves a key out."""
    metric = {"word_entropy": {"value": 10.4, "low": None, "high": None, "unit": "nats/word"}}
    data = {"paper": "words", "corpus": "gutenberg", "split": "standard", "run": "baseline-8d", "seed": 0}
    data |= {"status": "done", "metrics": metric} | changes
    path = folder / "metrics.json"
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))
    return path


def test_boxes_show_quartiles_over_trajectories(tmp_path):
    gaps = [[float(k)] * (2 if k < 4 else 1) for k in range(9)]
    entropy = figures.read_entropy([entropy_file(tmp_path / "e.csv", gaps)], ["TRIL"])
    (axes,) = figures.plot_gap(entropy, "title").axes
    boxes = [patch.get_path().get_extents() for patch in axes.patches]
    assert [(b.y0, b.y1) for b in boxes] == [(2.0, 6.0), (0.75, 2.25)]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1\n100", "2\n44"]
    assert axes.get_ylabel() == "entropy gap (nats)"
    assert axes.get_title("left") == "TRIL"


def test_seeds_of_a_label_share_a_panel(tmp_path):
    paths = [entropy_file(tmp_path / f"{i}.csv", words(50, i)) for i in range(4)]
    entropy = figures.read_entropy(paths, ["A", "A", "B", "C"])
    figure = figures.plot_gap(entropy, "title")
    assert [axes.get_title("left") for axes in figure.axes] == ["A", "B", "C"]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_gap_by_position_pools_all_seeds(tmp_path):
    gaps = [[[1.0, 0.5], [2.0]], [[3.0]]]
    paths = [entropy_file(tmp_path / f"{i}.csv", words_of_seed) for i, words_of_seed in enumerate(gaps)]
    table = figures.gap_by_position(figures.read_entropy(paths, ["A", "A"]))
    assert table.columns.tolist() == ["row", "position", "mean", "sd", "trajectories"]
    assert table.iloc[0].tolist() == ["A", 1, 2.0, 1.0, 3]
    assert table.iloc[1].drop("sd").tolist() == ["A", 2, 0.5, 1]


def test_lines_are_means_over_seeds(tmp_path):
    paths = [curve_file(tmp_path / f"{level}.jsonl", level) for level in (1.0, 1.2)]
    curves = figures.read_curves(paths, ["TRIL", "TRIL"])
    (axes,) = figures.plot_training(curves, None, "title").axes
    means = [list(line.get_ydata()) for line in axes.lines[:3]]
    assert means == [pytest.approx([level] * 5) for level in (2.6, 1.5, 1.1)]
    assert list(axes.lines[0].get_xdata()) == [0, 200, 400, 600, 800]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(figures.COLOURS)


def test_distant_word_entropy_gets_a_broken_axis(tmp_path):
    curves = figures.read_curves([curve_file(tmp_path / "c.jsonl")], ["TRIL"])
    lower, upper = figures.plot_training(curves, 10.4, "title").axes
    assert lower.get_ylim()[1] < 3
    assert upper.get_ylim() == (9.9, 10.9)
    dashed = [line for line in upper.lines if line.get_linestyle() == "--"]
    assert [list(line.get_ydata()) for line in dashed] == [[10.4, 10.4]]


def test_nearby_word_entropy_shares_the_axis(tmp_path):
    curves = figures.read_curves([curve_file(tmp_path / "c.jsonl")], ["TRIL"])
    (axes,) = figures.plot_training(curves, 3.5, "title").axes
    assert axes.get_ylim()[1] > 3.5
    assert [list(line.get_ydata()) for line in axes.lines if line.get_linestyle() == "--"] == [[3.5, 3.5]]


def test_output_is_deterministic(tmp_path):
    entropy = entropy_file(tmp_path / "e.csv", words(100))
    curve = curve_file(tmp_path / "c.jsonl")
    baseline = baseline_file(tmp_path)
    written = []
    for i in (1, 2):
        png, svg = tmp_path / f"{i}.png", tmp_path / f"{i}.svg"
        out = ["--png", png, "--svg", svg]
        numbers = ["--csv", tmp_path / f"{i}.csv"]
        call("gap", "--entropy", entropy, "--labels", "TRIL, K=5", "--title", "t", *out, *numbers)
        gap = png.read_bytes(), svg.read_bytes()
        call("training", "--curves", curve, "--labels", "TRIL, K=5", "--baseline", baseline, *out)
        written.append((*gap, png.read_bytes(), svg.read_bytes()))
    assert written[0] == written[1]
    assert b"\x89PNG" in written[0][0][:4]
    assert b"<dc:date>" not in written[0][1]
    assert len({len(file) for file in written[0]}) == 4


def test_failed_baseline_is_omitted(tmp_path, caplog):
    curve = curve_file(tmp_path / "c.jsonl")
    baseline = baseline_file(tmp_path, status="failed", metrics=None, reason="NaN")
    png = tmp_path / "f.png"
    call(
        "training", "--curves", curve, "--labels", "A", "--baseline", baseline,
        "--png", png, "--svg", tmp_path / "f.svg",
    )  # fmt: skip
    assert png.exists()
    assert "the baseline failed" in caplog.text


def test_error_messages(tmp_path):
    curve = curve_file(tmp_path / "c.jsonl")
    with pytest.raises(UserError, match="2 files but 1 labels"):
        figures.read_curves([curve, curve], ["A"])
    empty = entropy_file(tmp_path / "e.csv", [])
    with pytest.raises(UserError, match="contains no sampled word"):
        figures.read_entropy([empty], ["A"])
    empty.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match="cannot read entropy gaps"):
        figures.read_entropy([empty], ["A"])
    curve.write_text('{"step": 1, "loss": 2.0}\n', encoding="utf-8")
    with pytest.raises(UserError, match="has no entropy evaluation"):
        figures.read_curves([curve], ["A"])
    curve.write_text("step\n", encoding="utf-8")
    with pytest.raises(UserError, match="cannot read the training curve"):
        figures.read_curves([curve], ["A"])
    curve, without = curve_file(tmp_path / "d.jsonl"), baseline_file(tmp_path, metrics={})
    out = ["--png", tmp_path / "f.png", "--svg", tmp_path / "f.svg"]
    with pytest.raises(UserError, match="has no metric 'word_entropy'"):
        call("training", "--curves", curve, "--labels", "A", "--baseline", without, *out)


def test_titles_and_labels_are_shown_verbatim(tmp_path):
    labels, title = HOSTILE[:4], HOSTILE[0]
    entropy = figures.read_entropy([entropy_file(tmp_path / "e.csv", words(20))] * 4, labels)
    curves = figures.read_curves([curve_file(tmp_path / "c.jsonl")] * 4, labels)
    for figure in (figures.plot_gap(entropy, title), figures.plot_training(curves, 10.4, title)):
        assert shown(figure) >= {*labels, title}
        save(figure, tmp_path / "f.png", tmp_path / "f.svg")


def test_quantities_differ_in_colour_and_marker():
    assert len(set(figures.COLOURS.values())) == 3
    frame = pd.DataFrame(
        {"label": ["A"] * 6, "step": [0, 1] * 3, "quantity": [*figures.COLOURS] * 2, "nats": 1.0}
    )
    (axes,) = figures.plot_training(frame, None, "t").axes
    assert len({line.get_marker() for line in axes.lines[:3]}) == 3
