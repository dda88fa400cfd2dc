"""Experiments that take a minute: both papers with few runs, few steps and Python's own texts."""

import json
import pydoc_data.topics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
CORPUS = "topics"
WORDS = {
    "training": {"steps": 20, "batch": 16, "log_every": 10, "monitor_every": 10, "checkpoint_every": 10},
    "evaluation": {
        "trajectories": 256,
        "bootstrap": 5,
        "samples": 200,
        "entropy_trajectories": 20,
        "entropy_draws": 5,
        "entropy_reference_draws": 10,
        "importance_words": 20,
        "importance_draws": 10,
    },
}
WORDS_RUNS = {
    "standard": ("tril", "tril-k2", "real-nvp", "baseline-8d", "trigram", "oracle"),
    "unseen": ("baseline-8d", "oracle"),
}
SENTENCES = {
    "model": {"latent": 4, "hidden": 8, "embedding": 6},
    "training": {"steps": 4, "monitor_every": 2, "log_every": 2, "max_length": 10, "batch": 8},
    "evaluation": {"repeats": 2, "max_length": 5},
    "qualitative": {"max_length": 5, "steps": 3, "samples": 2, "questions": [0]},
}
BOTH = {
    "svae": {"row": "sVAE (16)", "model": {"objective": "svae"}},
    "smim": {"row": "sMIM (16)", "evaluation": {"reference_ppl": 40}},
}
SENTENCES_RUNS = {
    "ptb": {
        **BOTH,
        "ae": {"model": {"objective": "ae"}},
        "smim-all": {"row": "sMIM (1024)†", "trained_on": "everything"},
    },
    "yelp15": BOTH,
    "yahoo": BOTH,
    "everything": {"smim-all": {}},
    "yahoocqa": {
        "smim": {"row": "sMIM (512)", "trained_on": "yahoo"},
        "ap-bilstm": {"row": "AP-BiLSTM", "model": {"objective": "answers"}},
    },
}

Paper = Callable[[dict[str, Any], Path], None]


def write(root: Path, *papers: Paper) -> None:
    """Write a tiny experiment of `papers` to the project in `root`: texts and config.yaml."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config |= {"papers": [paper.__name__ for paper in papers], "corpora": {}}
    for paper in papers:
        paper(config, root)
    # JSON copies shared entries, for which YAML would write anchors.
    text = yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False)
    (root / "config.yaml").write_text(text, encoding="utf-8")


def change(root: Path, paper: str, edit: Callable[[dict[str, Any]], Any]) -> None:
    """Edit a paper's section of the experiment in place."""
    file = root / "config.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    edit(config[paper])
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def words(config: dict[str, Any], root: Path) -> None:
    """Runs of the words paper on the language reference, which is a user's corpus of two files."""
    texts = list(pydoc_data.topics.topics.values())
    (root / "my texts").mkdir()
    for i in range(2):
        (root / "my texts" / f"part {i}.txt").write_text("\n".join(texts[i::2]), encoding="utf-8")
    config["corpora"][CORPUS] = {"path": "my texts", "kind": "text", "title": "Python topics"}
    section = config["words"]
    figures = {"training_run": "tril-k2", "baseline": "baseline-8d"}
    section |= {"corpora": [CORPUS], "seeds": [0], "figures": figures}
    section["vocabulary"]["min_count"] = 5
    section["split"] |= {"seeds": [0, 1], "repeated": 1}
    section["runs"] = {
        split: {name: section["runs"][split][name] for name in names} for split, names in WORDS_RUNS.items()
    }
    for part, values in WORDS.items():
        section[part] |= values


def few_words(section: dict[str, Any]) -> None:
    """Keep three runs of the words paper; a figure shows the training of one."""
    runs = section["runs"]["standard"]
    section["runs"] = {"standard": {name: runs[name] for name in ("tril", "baseline-8d", "oracle")}}
    section["figures"]["training_run"] = "tril"


def sentences(config: dict[str, Any], root: Path) -> None:
    """Runs of the sentences paper on lines of the language reference, and on questions made from them."""
    lines = [line for text in pydoc_data.topics.topics.values() for line in text.splitlines()]
    lines = [line for line in dict.fromkeys(lines) if len(line.split()) > 5 and "#" not in line]
    for folder, form in (("my sentences", "{0}\n"), ("my questions", "{0}#{1}#0\n{0}#{2}#1\n")):
        (root / folder).mkdir()
        for split, start, size in (("train", 0, 64), ("valid", 300, 24), ("test", 600, 24)):
            text = "".join(form.format(*lines[3 * i : 3 * i + 3]) for i in range(start, start + size))
            (root / folder / f"{split}.txt").write_text(text, encoding="utf-8")
    given = {"kind": "sentences", "title": "Python topics"}
    config["corpora"] |= {
        "mine": given | {"path": "my sentences", "format": "lines"},
        "asked": given | {"path": "my questions", "format": "triples"},
    }
    section = config["sentences"]
    adam = {"optimizer": "adam", "learning_rate": 0.001}
    for part, values in SENTENCES.items():
        section[part] |= values
    section |= {
        "datasets": {
            "ptb": {"row": "PTB", "corpus": "mine", "training": adam},
            "yelp15": {"row": "Yelp15", "corpus": "mine"},
            "yahoo": {"row": "Yahoo", "corpus": "mine"},
            "everything": {"row": "Everything", "union": ["ptb", "yahoo"]},
            "yahoocqa": {"corpus": "asked"},
        },
        "runs": SENTENCES_RUNS,
        "collected": {
            "table6": {
                "metric": "latent_entropy",
                "rows": {
                    "sMIM (S)": {"runs": {"ptb": "smim", "yahoo": "smim"}},
                    "N(S)": {"metric": "normal_entropy", "runs": {"ptb": "smim", "yahoo": "smim"}},
                },
            },
            "table7": {"metric": "bleu1", "rows": {"AE (S)": {"runs": {"ptb": "ae"}}}},
        },
        "figures": {
            "pairs": {"dataset": "ptb", "runs": ["smim", "svae"]},
            "samples": {"ptb": {"run": "smim", "reference": "svae"}},
            "bounds": {dataset: ["svae", "smim"] for dataset in ("ptb", "yelp15", "yahoo")},
        },
        "texts": {
            "table12": {"dataset": "ptb", "runs": ["smim", "smim-all", "ae"]},
            "table15": {"dataset": "ptb", "runs": ["smim", "smim-all"]},
            "table21": {"dataset": "yahoo", "runs": ["smim"]},
        },
    }
