"""Likelihood of a test set under a causal language model with another tokenizer (GPT-2 in Tables 2 and 5).

Perplexities are per word for any tokenizer: the sum of the log probabilities of all tokens is divided by the
number of words.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.vocabulary import Vocabulary
from textlvm.sentences.evaluation.likelihood import perplexity, without_eos

__all__ = ["CausalModel", "log_probs", "metrics"]

Floats = NDArray[np.float64]


class CausalModel(Protocol):
    """A causal language model and its tokenizer."""

    start: int
    """The token before a text."""
    end: int
    """The token after a text."""
    context: int
    """Maximum number of tokens that the model can read."""

    def encode(self, text: str) -> Sequence[int]:
        """The tokens of a text, without start and end tokens."""
        ...

    def __call__(self, codes: Tensor) -> Tensor:
        """Logits (B, T, V) of the tokens that follow each of `codes` (B, T)."""
        ...


@torch.no_grad()
def log_probs(model: Callable[[Tensor], Tensor], codes: Tensor, context: int, stride: int) -> Floats:
    """log p(c_t | c_s, ..., c_{t-1}) in nats for t = 1, ..., T of tokens c_0, ..., c_T: (T,).

    A text longer than `context` is read in windows of `context` tokens, which begin `stride` tokens apart. A
    token is scored in the first window that predicts it, so after the first window it is preceded by more
    than `context` - `stride` tokens.
    """
    scores: list[Tensor] = []
    done, total = 0, len(codes) - 1
    for begin in range(0, max(total, 1), stride):
        end = min(begin + context, total)
        if end > done:
            logits = model(codes[None, begin:end])[0, done - begin :]
            targets = codes[done + 1 : end + 1]
            chosen = logits.double().log_softmax(1).gather(1, targets[:, None]).squeeze(1)
            scores.append(chosen.cpu())
            done = end
        if done == total:
            break
    return torch.cat([torch.empty(0, dtype=torch.float64), *scores]).numpy()


def metrics(
    model: CausalModel, test: SentenceSet, vocabulary: Vocabulary, stride: int, device: torch.device
) -> dict[str, float]:
    """Metrics of the test set as one text and sentence by sentence; for `stride` see `log_probs`.

    nll, ppl                            all sentences as one text, one per line; the line break represents
                                        <eos> and counts as a word
    nll_by_sentence, ppl_by_sentence    every sentence separately, with the model's end-of-text token as <eos>
    nll_without_eos, ppl_without_eos,   the same without <eos>, like the metrics of latent variable models;
    ppl_per_word                        ppl_without_eos divides by words + 1, ppl_per_word by words

    nll is in nats per sentence. Words outside the vocabulary are written <unk>.
    """
    sentences = [" ".join(vocabulary.decode(codes)) for codes in test]
    lengths, stride = test.lengths, min(stride, model.context)

    def score(codes: Sequence[int]) -> Floats:
        return log_probs(model, torch.tensor(codes, device=device), model.context, stride)

    text = "".join(f"{sentence}\n" for sentence in sentences)
    of_text = -float(score([model.start, *model.encode(text)]).sum())
    words, end = np.empty(len(test)), np.empty(len(test))
    for i, sentence in enumerate(sentences):
        *of_words, end[i] = score([model.start, *model.encode(sentence), model.end])
        words[i] = np.sum(of_words)
    return {
        "nll": of_text / len(test),
        "ppl": perplexity(np.array([of_text / len(test)]), lengths + 1),
        "nll_by_sentence": -float((words + end).mean()),
        "ppl_by_sentence": perplexity(-words - end, lengths + 1),
    } | without_eos(words, lengths)
