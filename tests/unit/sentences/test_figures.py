import json
import math

import numpy as np
import pytest

from hostile import HOSTILE, shown
from textlvm.reporting.figures import save
from textlvm.runtime.errors import UserError
from textlvm.sentences import figures
from textlvm.sentences.evaluation.likelihood import melbo_of_subsets


def histograms(path, objective="smim", latent=16, n=60, seed=0, **changes):
    rng = np.random.default_rng(seed)
    names = ("log_p_same", "log_p_other", "log_q_same", "log_q_other")
    scales = (30, 60, 5, 20000)
    content = {
        "objective": objective,
        "latent": latent,
        "elbo": rng.normal(-90, 20, n).tolist(),
        "melbo": rng.normal(-70, 20, n).tolist(),
        "pairs": {name: (-rng.gamma(2, s, n)).tolist() for name, s in zip(names, scales, strict=True)},
    } | changes
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def call(*arguments):
    figures.main(figures._arguments().parse_args([str(a) for a in arguments]))


def test_pair_histograms_are_shares(tmp_path):
    paths = [histograms(tmp_path / f"{i}.json", seed=i) for i in range(3)]
    pairs = figures.read_pairs(paths, ["sMIM", "sVAE", "sVAE"])
    assert len(pairs) == 3 * 4 * 60
    panels = figures.plot_pairs(pairs, "title").axes
    legend = [text.get_text() for text in panels[0].get_legend().get_texts()]
    assert legend == ["sMIM, i = j", "sMIM, i ≠ j", "sVAE, i = j", "sVAE, i ≠ j"]
    for axes in panels:
        # The outline of a histogram is a polygon along the tops of the bins and back along zero.
        heights = [np.unique(patch.get_xy()[:, 1]).max() for patch in axes.patches]
        assert len(heights) == 4
        assert all(0 < height <= 1 for height in heights)


def test_length_histograms_have_mean_and_density(tmp_path):
    lengths = {"A": np.array([1, 2, 3, 10]), "B": np.arange(1, 200)}
    figure = figures.plot_lengths(lengths, "title")
    means = [axes.lines[0].get_xdata()[0] for axes in figure.axes]
    assert means == [4, 100]
    (polygons,) = (c for c in figure.axes[0].collections)
    x, y = polygons.get_paths()[0].vertices.T
    width = 4
    assert y.max() == pytest.approx(3 / 4 / width)
    assert x.min() == -0.5


def test_extrapolation_ends_at_the_reference():
    melbo = np.random.default_rng(0).normal(-70, 10, 500)
    figure = figures.plot_samples({"A": melbo, "B": melbo}, {"B": ("GPT-2", 90.0)}, "title")
    first, second = figure.axes
    crosses = [axes.lines[-1].get_xydata() for axes in figure.axes]
    assert crosses[0].tolist() == [[500, pytest.approx(-melbo.mean())]]
    k, nll = crosses[1][1]
    assert nll == 90
    assert melbo_of_subsets(melbo, np.array([k]))[0] == pytest.approx([90])
    assert second.texts[0].get_text() == "GPT-2"
    assert not first.texts
    solid = first.lines[0]
    assert solid.get_xdata()[[0, -1]].tolist() == [1, 500]
    assert solid.get_ydata()[0] == pytest.approx(-melbo.mean() - math.log(500))


def test_unreachable_reference_has_no_marker():
    melbo = np.full(10, -70.0)
    figure = figures.plot_samples({"A": melbo}, {"A": ("far", 5000.0)}, "title")
    assert len(figure.axes[0].lines[-1].get_xdata()) == 1


def test_bounds_have_a_row_per_objective_and_a_column_per_latent_size(tmp_path):
    paths = [
        histograms(tmp_path / f"{objective}{latent}{seed}.json", objective, latent, seed=seed)
        for objective, latent, seed in (("smim", 512, 0), ("smim", 16, 0), ("smim", 16, 1), ("svae", 16, 0))
    ]
    labels = ["sMIM (512)", "sMIM (16)", "sMIM (16)", "sVAE (16)"]
    bounds = figures.read_bounds(paths, labels)
    small, large, other, nothing = figures.plot_bounds(bounds, "title").axes
    assert [axes.get_title("left") for axes in (small, large, other)] == [
        "sMIM (16)",
        "sMIM (512)",
        "sVAE (16)",
    ]
    assert not nothing.axison
    assert small.get_xlabel() == "MELBO (nats per sentence)"
    assert other.get_xlabel() == "ELBO (nats per sentence)"
    values = [json.loads(path.read_text())["melbo"] for path in paths[1:3]]
    assert small.lines[0].get_xdata()[0] == pytest.approx(np.mean(values))
    elbo = json.loads(paths[3].read_text())["elbo"]
    assert other.lines[0].get_xdata()[0] == pytest.approx(np.mean(elbo))


def test_figure_files_are_deterministic(tmp_path):
    path = histograms(tmp_path / "h.json")
    other = tmp_path / "metrics.json"
    metrics = {"nll_elbo": {"value": 99.0, "low": None, "high": None, "unit": "nats/sentence"}}
    run = {"paper": "sentences", "corpus": "c", "split": "standard", "run": "r", "seed": 0, "status": "done"}
    other.write_text(json.dumps(run | {"metrics": metrics}), encoding="utf-8")
    written = []
    for i in (1, 2):
        files = []
        for command, more in (
            ("pairs", []),
            ("samples", ["--references", other, "--reference-labels", "sVAE"]),
            ("samples", ["--references", "none", "--reference-labels", "-"]),
            ("bounds", []),
        ):
            png, svg = tmp_path / f"{i}.png", tmp_path / f"{i}.svg"
            common = ["--labels", "A", "--title", "t", "--png", png, "--svg", svg]
            call(command, "--histograms", path, *common, *more)
            files += [png.read_bytes(), svg.read_bytes()]
        written.append(files)
    assert written[0] == written[1]
    assert written[0][2:4] != written[0][4:6]


def test_special_characters_are_shown_unchanged(tmp_path):
    first, second, title = HOSTILE[1], HOSTILE[3], HOSTILE[0]
    paths = [histograms(tmp_path / f"{i}.json", seed=i, latent=i) for i in (1, 2)]
    melbo = np.random.default_rng(0).normal(-70, 10, 50)
    drawn = [
        figures.plot_pairs(figures.read_pairs(paths, [first, second]), title),
        figures.plot_lengths({first: np.array([1, 2, 3]), second: np.arange(9)}, title),
        figures.plot_samples({first: melbo, second: melbo}, {first: (HOSTILE[2], 90.0)}, title),
        figures.plot_bounds(figures.read_bounds(paths, [first, second]), title),
    ]
    for figure in drawn:
        texts = shown(figure)
        assert title in texts
        ends = (", i = j", ", i ≠ j") if figure is drawn[0] else ("",)
        assert texts >= {f"{label}{end}" for label in (first, second) for end in ends}
        save(figure, tmp_path / "f.png", tmp_path / "f.svg")
    assert HOSTILE[2] in shown(drawn[2])


def test_invalid_input_is_rejected(tmp_path):
    path = histograms(tmp_path / "h.json")
    bare = tmp_path / "bare.json"
    bare.write_text('{"objective": "ae", "latent": 4}', encoding="utf-8")
    with pytest.raises(UserError, match="2 files but 1 labels"):
        figures.read_pairs([path, path], ["A"])
    with pytest.raises(UserError, match="has no 'pairs'"):
        figures.read_pairs([bare], ["A"])
    with pytest.raises(UserError, match="omit this 'ae' run"):
        figures.read_bounds([bare], ["A"])
    with pytest.raises(UserError, match="cannot read"):
        figures.read_pairs([tmp_path / "none.json"], ["A"])
    out = ["--title", "t", "--png", tmp_path / "f.png", "--svg", tmp_path / "f.svg"]
    with pytest.raises(UserError, match="once per entry"):
        call("samples", "--histograms", path, path, "--labels", "A", "B", "--references", 4.0,
             "--reference-labels", "GPT-2", *out)  # fmt: skip
