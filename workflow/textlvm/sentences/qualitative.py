"""Generate the texts of one trained run for Tables 9-21, from the sentences named in the configuration.

    python -m textlvm.sentences.qualitative --data ptb/data --run ptb/smim-512/seed0 --settings '{…}' \\
        --out ptb/smim-512/seed0/qualitative.json

DATA is the prepared data set that the run was trained on; with `--member ptb/data`, sentences are taken from
one data set of a union. Writes OUT, from which textlvm.sentences.text_tables makes tables. An autoencoder has
no distribution over codes, so it only gives reconstructions.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textlvm.runtime import cli
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import write_json
from textlvm.sentences.data import prepared as data
from textlvm.sentences.data.prepared import Labels, SentenceSet
from textlvm.sentences.data.tokenizers import Tokenizer
from textlvm.sentences.data.vocabulary import Codes, Vocabulary
from textlvm.sentences.evaluation.generation import Writer
from textlvm.sentences.evaluation.spec import QualitativeSpec
from textlvm.sentences.trained import load
from textlvm.spec import parse
from textlvm.training import device as devices
from textlvm.training.seeds import seed_everything

__all__ = ["NamedSentence", "SentenceLookup", "show"]


@dataclass(frozen=True)
class NamedSentence:
    """A sentence that the configuration names."""

    tokens: Sequence[str]
    codes: Codes
    label: str

    @property
    def text(self) -> str:
        """The text that tables show."""
        return " ".join(self.tokens)


@dataclass(frozen=True)
class SentenceLookup:
    """Finds the sentences that the configuration names."""

    test: SentenceSet
    labels: Labels | None
    vocabulary: Vocabulary
    tokenize: Tokenizer

    def find(self, name: int | str) -> NamedSentence:
        """The test sentence with a number, or the tokens of a text.

        Raises `UserError` if there is no such test sentence.
        """
        if isinstance(name, str):
            tokens = self.tokenize(name)
            return NamedSentence(tokens, self.vocabulary.encode(tokens), "")
        if not 0 <= name < len(self.test):
            raise UserError(
                f"qualitative: there is no test sentence {name}; they are 0 to {len(self.test) - 1}"
            )
        codes = self.test[name]
        label = self.labels.names[self.labels.codes[name]] if self.labels else ""
        return NamedSentence(self.vocabulary.decode(codes), codes, label)

    def find_question(self, name: int | str) -> NamedSentence:
        """The same sentence up to its first "?"."""
        sentence = self.find(name)
        tokens = sentence.tokens
        length = tokens.index("?") + 1 if "?" in tokens else len(tokens)
        return NamedSentence(tokens[:length], sentence.codes[:length], sentence.label)


def show(writer: Writer, lookup: SentenceLookup, spec: QualitativeSpec) -> dict[str, Any]:
    """Generate all texts that `spec` requests, by kind; each kind uses its own random numbers."""
    named = [lookup.find(name) for name in spec.reconstruct]
    _seed(spec, "reconstructions")
    rows = writer.reconstruct([sentence.codes for sentence in named], spec.perturbation) if named else []
    result: dict[str, Any] = {
        "reconstructions": [
            {"sentence": sentence.text, "label": sentence.label, **row}
            for sentence, row in zip(named, rows, strict=True)
        ]
    }
    if writer.run.deterministic:
        return result
    _seed(spec, "interpolations")
    ends = [(lookup.find(start), lookup.find(end)) for start, end in spec.interpolate]
    result["interpolations"] = [
        {
            "start": start.text,
            "end": end.text,
            "labels": [start.label, end.label],
            "steps": writer.interpolate(start.codes, end.codes, spec.steps),
        }
        for start, end in ends
    ]
    _seed(spec, "samples")
    result["samples"] = writer.sample(spec.samples, spec.sigma) if spec.samples else []
    _seed(spec, "answers")
    result["answers"] = _answers(
        writer, [lookup.find_question(name) for name in spec.questions], spec.answers
    )
    return result


def _answers(writer: Writer, asked: Sequence[NamedSentence], lengths: dict[str, int]) -> list[dict[str, Any]]:
    if not asked:
        return []
    by_length = {
        name: writer.answer([question.codes for question in asked], words) for name, words in lengths.items()
    }
    return [
        {"question": question.text, "answers": {name: answers[i] for name, answers in by_length.items()}}
        for i, question in enumerate(asked)
    ]


def _seed(spec: QualitativeSpec, kind: str) -> None:
    seed_everything(f"sentences/qualitative/{kind}", spec.seed)


def main(options: argparse.Namespace) -> None:
    """Write the texts of the run on the command line."""
    spec = parse(QualitativeSpec, options.settings)
    run = load(options.run, options.data, devices.choose(options.gpus))
    target = options.member or options.data
    described = data.statistics(target)
    lookup = SentenceLookup(
        data.load(options.data, "test", options.member),
        data.load_labels(target, "test") if described.get("labels") else None,
        run.vocabulary,
        data.input_tokenizer(target),
    )
    result = {
        "dataset": described["dataset"],
        "run": run.name.split("/")[-1],
        "seed": run.seed,
        "objective": run.spec.objective,
        **show(Writer(run, spec.decoding, spec.max_length), lookup, spec),
        "settings": options.settings,
    }
    write_json(options.out, result)


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="prepared data set of training")
    arguments.add_argument("--run", type=Path, required=True, help="folder of textlvm.sentences.train")
    arguments.add_argument("--settings", type=cli.settings, required=True, help="sentences and seeds")
    arguments.add_argument("--member", type=Path, help="data set of the union DATA that sentences are from")
    arguments.add_argument("--out", type=Path, required=True, help="qualitative.json")
    devices.add_argument(arguments)
    cli.run(main, arguments)
