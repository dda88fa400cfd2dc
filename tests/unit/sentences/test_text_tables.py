import json
import re
from html import unescape

import pytest

from hostile import HOSTILE
from textlvm.experiment.paper import PAPERS, load
from textlvm.reporting import html
from textlvm.runtime.errors import UserError
from textlvm.sentences import text_tables

TABLES = load(PAPERS / "sentences").texts


@pytest.fixture
def run_file(tmp_path):
    """A function that writes a run's qualitative.json."""

    def write(name, objective="smim", **changes):
        content = {
            "objective": objective,
            "settings": {"perturbation": 10},
            "reconstructions": [
                {"sentence": f"d{i}", "label": "3", "mean": f"{name} m{i}", "sample": "r", "perturbed": "p"}
                for i in range(3)
            ],
            "interpolations": [{"start": "a", "end": "b", "steps": [f"{name} {i}" for i in range(10)]}] * 2,
            "samples": [f"{name} <unk> | *"],
            "prior_samples": {"normal": [f"{name} a"], "flow": [f"{name} b", "c"]},
            "answers": [{"question": "q ?", "answers": {"short": "s", "medium": "m", "long": "l"}}],
        } | changes
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


def render(table, paths, labels):
    columns = text_tables.read(paths, labels, TABLES[table])
    shown = (TABLES[table], "PTB", columns)
    return text_tables.as_markdown(*shown), text_tables.as_json(*shown)


def rows(markdown):
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in markdown.splitlines()
        if line[:1] == "|"
    ]


def test_every_table_of_the_appendix_is_rendered(run_file):
    path = run_file("one")
    for table in range(9, 23):
        markdown, data = render(table, [path], ["sMIM"])
        assert markdown.startswith(f"# Table {table}: ")
        assert all(data["columns"].values())


def test_samples_are_listed_by_run_and_prior(run_file):
    markdown, data = render(22, [run_file("one"), run_file("two")], ["sMIM (512)", "sVAE (16)"])
    headings = [line for line in markdown.splitlines() if line.startswith("**")]
    assert headings == [
        "**sMIM (512), N(0, I)**",
        "**sMIM (512), normalizing flow fitted to training codes**",
        "**sVAE (16), N(0, I)**",
        "**sVAE (16), normalizing flow fitted to training codes**",
    ]
    assert "- two b\n- c" in markdown
    assert data["kind"] == "samples"
    assert data["columns"]["sMIM (512), N(0, I)"] == ["one a"]


def test_reconstructions_have_a_column_per_run_and_a_row_for_the_autoencoder(run_file):
    paths = [run_file("one"), run_file("two"), run_file("ae", "ae")]
    markdown, data = render(12, paths, ["sMIM (512)", "sMIM†", "AE"])
    table = rows(markdown)[:7]
    assert table[0] == ["", "sMIM (512)", "sMIM†"]
    assert table[2][:2] == ["(D)", "d0"]
    assert table[3] == ["(M)", "one m0", "two m0"]
    assert [row[0] for row in table[4:6]] == ["(R)", "(P)"]
    assert table[6][:2] == ["(AE)", "ae m0"]
    assert markdown.count("**3**") == 3
    assert list(data["columns"]) == ["sMIM (512)", "sMIM†", "AE"]


@pytest.mark.parametrize(("factor", "shown"), [(10, "10"), (2.5, "2.5")])
def test_legend_has_the_factor_of_the_perturbation(run_file, factor, shown):
    path = run_file("one", settings={"perturbation": factor})
    assert f"(P) of a sample with {shown} times the standard deviation" in render(12, [path], ["A"])[0]


def test_tables_9_to_11_show_selected_entries(run_file):
    path = run_file("one")
    assert render(11, [path], ["A"])[0].count("(D) |") == 1
    assert render(12, [path], ["A"])[0].count("(D) |") == 3
    interpolated = render(10, [path], ["A"])[0]
    assert interpolated.count("\n- ") == 10
    assert "**A**: a\n\n- one 0\n" in interpolated
    assert interpolated.endswith("- one 9\n\nb\n")
    answers, data = render(9, [path], ["A"])
    assert [row[0] for row in rows(answers)[2:]] == ["(Q)", "(A) medium"]
    assert data["columns"]["A"][0]["answers"] == {"medium": "m"}
    assert len(rows(render(21, [path], ["A"])[0])) == 6


def test_text_is_escaped_in_markdown_but_not_in_json(run_file):
    markdown, data = render(18, [run_file("one")], ["A"])
    assert r"- one \<unk> \| \*" in markdown
    assert data["columns"]["A"] == ["one <unk> | *"]


@pytest.mark.parametrize("text", HOSTILE)
def test_special_characters_are_shown_unchanged(run_file, text):
    entry = {"sentence": text, "label": text, "mean": text, "sample": text, "perturbed": text}
    path = run_file(
        "one",
        reconstructions=[entry],
        interpolations=[{"start": text, "end": text, "steps": [text] * 3}],
        samples=[text] * 2,
        answers=[{"question": text, "answers": dict.fromkeys(("short", "medium", "long"), text)}],
    )
    for table, times in ((12, 7), (15, 7), (18, 4), (21, 6)):
        columns = text_tables.read([path], [text], TABLES[table])
        page = html.page(text_tables.as_markdown(TABLES[table], text, columns))
        body = re.sub("<[^>]+>", "", page.partition("<body>")[2])
        assert " ".join(unescape(body).split()).count(" ".join(text.split())) == times


def test_runs_must_have_the_same_sentences(run_file):
    other = run_file("two", reconstructions=[{"sentence": "x", "mean": "", "sample": "", "perturbed": ""}])
    paths = [run_file("one"), other]
    render(18, paths, ["A", "B"])
    with pytest.raises(UserError, match="have different sentences"):
        render(12, paths, ["A", "B"])


def test_missing_entries_and_labels_are_rejected(run_file):
    with pytest.raises(UserError, match="has no samples; add some"):
        render(18, [run_file("one", samples=[])], ["A"])
    with pytest.raises(UserError, match="1 runs but 2 labels"):
        render(18, [run_file("one")], ["A", "B"])


def test_main_writes_all_formats(run_file, tmp_path):
    files = {form: tmp_path / f"t.{form}" for form in ("md", "html", "json")}
    options = {"paper": PAPERS / "sentences", "table": 15, "runs": [run_file("one")], "labels": ["A"]}
    text_tables.main(text_tables.argparse.Namespace(**options, title="PTB", **files))
    assert json.loads(files["json"].read_text())["kind"] == "interpolations"
    assert files["md"].read_text().startswith("# Table 15: Interpolation, PTB")
    assert "<h1>Table 15: Interpolation, PTB</h1>" in files["html"].read_text()


def test_unknown_table_is_rejected(run_file, tmp_path):
    options = {"paper": PAPERS / "sentences", "table": 8, "runs": [run_file("one")], "labels": ["A"]}
    with pytest.raises(UserError, match=r"sentences/paper\.yaml has no table 8 of texts"):
        text_tables.main(text_tables.argparse.Namespace(**options))
