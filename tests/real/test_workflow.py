"""The workflow on real corpora, downloaded from a local server that is the registry's mirror."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

import tiny
from textlvm.corpora.download import FOLDER_VARIABLE, MIRROR_VARIABLE

FOLDER = os.environ.get(FOLDER_VARIABLE)

pytestmark = pytest.mark.skipif(not FOLDER, reason=f"{FOLDER_VARIABLE} does not name a folder of corpora")

# All files requested from the server; if one is missing, the tests are skipped.
FILES = {
    "novels": ["novels/100_english_novels-143e6018.tar.xz"],
    "ptb": ["ptb/ptb.train.txt", "ptb/ptb.valid.txt", "ptb/ptb.test.txt"],
    "yahoo": ["yahoo/val.txt", "yahoo/test.txt"],
    "yelp13": ["yelp13/valid.txt", "yelp13/test.txt"],
    "wikitext-103-held-out": ["wikitext-103/wiki.valid.tokens", "wikitext-103/wiki.test.tokens"],
    "yahoocqa-dasl": ["yahoocqa/train.txt", "yahoocqa/test.txt"],
}
DRAWN = {"test": {"of": "test", "draw": 60}}
HELD_OUT = {"train": {"of": "valid", "draw": 400}, "valid": {"of": "valid", "draw": 40}, **DRAWN}
RUNS = {"smim": {"row": "sMIM (512)"}}
DATASETS = {
    "ptb": {
        "row": "PTB",
        "corpus": "ptb",
        "tokens": {"method": "tweet"},
        "splits": {"train": {"of": "train"}, "valid": {"of": "valid", "draw": 40}, **DRAWN},
        "vocabulary": {"min_count": 2},
    },
    "yahoo": {"row": "Yahoo", "corpus": "yahoo", "tokens": {"unknown": ["_UNK"]}, "splits": HELD_OUT},
    "yelp15": {"row": "Yelp15", "corpus": "yelp13", "splits": HELD_OUT},
    "wikitext-103": {"row": "WikiText-103", "corpus": "wikitext-103-held-out", "splits": HELD_OUT},
    "everything": {"row": "Everything", "union": ["ptb", "yahoo", "yelp15", "wikitext-103"]},
    "yahoocqa": {
        "corpus": "yahoocqa-dasl",
        "splits": {"train": {"of": "train", "draw": 200}, "valid": {"of": "train", "draw": 20}, **DRAWN},
    },
}


@pytest.fixture(scope="module")
def mirror():
    """The address of a server of the corpora, and the list of paths requested from it."""
    requested = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            requested.append(self.path.lstrip("/"))

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=FOLDER))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", requested
    server.shutdown()


@pytest.fixture(scope="module")
def finished_project(new_project, mirror):
    """A project with all tables, from downloaded corpora and models trained for a few steps."""
    missing = [file for files in FILES.values() for file in files if not Path(FOLDER, file).is_file()]
    if missing:
        pytest.skip(f"{FOLDER_VARIABLE} has no {missing[0]}")
    project = new_project()
    tiny.write(project.root, words, sentences)
    address, _ = mirror
    tables = [f"results/table{i}.csv" for i in (1, 2, 3, 4, 5, 8)]
    project.run(
        "snakemake --cores 2 --resources gpu=0",
        "--",
        *tables,
        env={MIRROR_VARIABLE: address, FOLDER_VARIABLE: ""},
    )
    return project


def words(config, root):
    """Both sources of a vocabulary: published counts, and an archive of texts to count."""
    tiny.words(config, root)
    config["corpora"] = {}
    config["words"] |= {"corpora": ["gutenberg-counts", "novels"]}
    config["words"]["vocabulary"]["min_count"] = 10
    tiny.few_words(config["words"])


def sentences(config, root):
    tiny.sentences(config, root)
    config["corpora"] = {}
    section = config["sentences"]
    section |= {
        "datasets": DATASETS,
        "runs": {
            **dict.fromkeys(("yahoo", "yelp15", "wikitext-103"), RUNS),
            "ptb": RUNS | {"svae": {"row": "sVAE (512)", "model": {"objective": "svae"}}},
            "everything": {"smim-everything": {}},
            "yahoocqa": {
                "smim": {"row": "sMIM (512)", "trained_on": "yahoo"},
                "smim-everything": {"row": "sMIM (1024)†", "trained_on": "everything"},
                "ap-bilstm": {"row": "AP-BiLSTM", "model": {"objective": "answers"}},
            },
        },
        "figures": {
            "pairs": {"dataset": "ptb", "runs": ["smim", "svae"]},
            "samples": {"ptb": {"run": "smim", "reference": "svae"}},
            "bounds": {dataset: ["smim"] for dataset in ("ptb", "yelp15", "yahoo")},
        },
        "texts": {},
        "collected": {},
    }


def test_all_files_are_requested_from_the_mirror(finished_project, mirror):
    _, requested = mirror
    assert {path for path in requested if not path.endswith("/")} == {
        file for files in FILES.values() for file in files
    }


@pytest.mark.parametrize(
    ("corpus", "size"), [("gutenberg-counts", 99_398), ("novels", pytest.approx(26_894, rel=5e-4))]
)
def test_vocabularies_have_the_expected_size(finished_project, corpus, size):
    split = finished_project.root / "results" / "words" / corpus / "standard" / "words.tsv"
    with split.open(encoding="utf-8") as lines:
        assert sum(1 for _ in lines) - 1 == size


def test_every_planned_run_is_evaluated(finished_project):
    results = finished_project.root / "results"
    config = yaml.safe_load((finished_project.root / "config.yaml").read_text(encoding="utf-8"))
    planned = [
        results / "words" / corpus / split / run
        for corpus in config["words"]["corpora"]
        for split, runs in config["words"]["runs"].items()
        for run in runs
    ]
    planned += [
        results / "sentences" / dataset / run
        for dataset, runs in config["sentences"]["runs"].items()
        for run in runs
        if dataset != "everything"
    ]
    assert [run for run in planned if not (run / "seed0" / "metrics.json").is_file()] == []
    for table in results.glob("table*.csv"):
        assert ",failed," not in table.read_text(encoding="utf-8"), table
