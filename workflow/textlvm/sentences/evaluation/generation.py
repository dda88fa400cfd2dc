"""Text generation with a trained model: reconstructions, interpolations, samples, answers (Sec. 4.7)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from textlvm.distributions import DiagonalNormal
from textlvm.runtime.errors import UserError
from textlvm.sentences.data.vocabulary import UNK, Codes
from textlvm.sentences.evaluation.autoencoding import collect, decode, encode
from textlvm.sentences.evaluation.question_answering import with_question_mark
from textlvm.sentences.trained import TrainedRun

__all__ = ["Writer", "answer_in"]

BATCH = 64


@dataclass(frozen=True)
class Writer:
    """A trained model and its decoding settings; random draws use PyTorch's default generator."""

    run: TrainedRun
    decoding: str = "greedy"
    """greedy | sample; answers are always greedy."""
    max_length: int = 100
    """Maximum number of words of a generated sentence."""

    def read(self, text: str) -> Codes:
        """Codes of a sentence that a user types, with `UNK` for words outside the vocabulary.

        Raises `UserError` if the text has no words.
        """
        tokens = self.run.tokenize(text)
        if not tokens:
            raise UserError("the text has no words; give a sentence in quotes")
        return self.run.vocabulary.encode(tokens)

    def reconstruct(self, sentences: Sequence[Codes], perturbation: float) -> list[dict[str, str]]:
        """Reconstruct sentences from the posterior's mean (M), a sample (R), and a perturbed sample (P).

        The standard deviation of (P) is multiplied by `perturbation`. A deterministic model only has (M).
        """
        posterior = self._encode(sentences)
        codes = {"mean": posterior.loc}
        if not self.run.deterministic:
            wide = DiagonalNormal(posterior.loc, posterior.log_scale + float(np.log(perturbation)))
            codes |= {"sample": self._draw(posterior), "perturbed": self._draw(wide)}
        texts = [self.decode(z) for z in codes.values()]
        return [dict(zip(codes, of_sentence, strict=True)) for of_sentence in zip(*texts, strict=True)]

    def interpolate(self, start: Codes, end: Codes, steps: int) -> list[str]:
        """Sentences at `steps` equispaced points between codes of `start` and `end`, including both."""
        first, last = self._draw(self._encode([start, end]))
        return self.decode(torch.stack([torch.lerp(first, last, w) for w in torch.linspace(0, 1, steps)]))

    def sample(self, count: int, sigma: float) -> list[str]:
        """Sentences decoded from codes drawn from N(0, sigma^2 I)."""
        return self.decode(sigma * torch.randn(count, self.run.spec.latent))

    def answer(self, questions: Sequence[Codes], words: int) -> list[str]:
        """Answers to questions, decoded from codes of the questions followed by `words` <unk> (Sec. 4.6)."""
        vocabulary = self.run.vocabulary
        unknown = np.full(words, UNK, np.int32)
        asked = [
            np.concatenate([with_question_mark(question, vocabulary), unknown]) for question in questions
        ]
        z = self._draw(self._encode(asked))
        decoded = decode(self.run.autoencoder, z, BATCH, "greedy", self.max_length, (UNK,))
        return [answer_in(vocabulary.decode(codes)) for codes in decoded]

    def decode(self, z: Tensor) -> list[str]:
        """Decode sentences from codes (n, d)."""
        decoded = decode(self.run.autoencoder, z, BATCH, self.decoding, self.max_length)
        return [" ".join(self.run.vocabulary.decode(codes)) for codes in decoded]

    def _encode(self, sentences: Sequence[Codes]) -> DiagonalNormal:
        return encode(self.run.autoencoder, collect(sentences), BATCH)

    def _draw(self, posterior: DiagonalNormal) -> Tensor:
        return posterior.loc if self.run.deterministic else posterior.rsample_with_log_prob()[0]


def answer_in(tokens: Sequence[str]) -> str:
    """The words after the first "?", or all words if there is none, without HTML tags.

    >>> answer_in("what ? a <br /> tag".split())
    'a tag'
    """
    start = list(tokens).index("?") + 1 if "?" in tokens else 0
    return " ".join(re.sub(r"<[^<>]*>", " ", " ".join(tokens[start:])).split())
