"""A hidden Markov model, the discrete counterpart of the state space model; not in the paper."""

import torch
from torch import Tensor, nn

from textlvm.words.letters import ALPHABET_SIZE, PackedWords

__all__ = ["HiddenMarkov"]


class HiddenMarkov(nn.Module):
    """h_1 ~ softmax(pi), h_t ~ softmax(A[h_{t-1}]), w_t ~ softmax(B[h_t]), h one of `states` values.

    As in the state space model, no letter feeds back into the states, but P(w) is a finite sum, which the
    forward algorithm computes exactly.

    References: Rabiner (1989), A tutorial on hidden Markov models, https://doi.org/10.1109/5.18626.
    """

    def __init__(self, states: int) -> None:
        super().__init__()
        # Equal states would get equal gradients and stay equal.
        self.initial = nn.Parameter(torch.randn(states))
        self.transition = nn.Parameter(torch.randn(states, states))
        self.emission = nn.Parameter(torch.randn(states, ALPHABET_SIZE))

    def log_probs(self, batch: PackedWords) -> Tensor:
        """log P(w_t | w_{<t}) in nats for every position of a batch: packed (N,).

        The forward algorithm on normalised log probabilities. Only the transition between states is computed
        with probabilities, clamped to the smallest normal number.
        """
        transition = torch.softmax(self.transition, -1)
        emission = torch.log_softmax(self.emission, -1).T
        least = torch.finfo(transition.dtype).tiny
        predicted = torch.log_softmax(self.initial, -1).expand(batch.packing.batch, -1)
        terms = []
        for rows in batch.packing.steps():
            joint = predicted[: rows.stop - rows.start] + emission[batch.letters[rows]]
            term = torch.logsumexp(joint, -1, keepdim=True)
            predicted = ((joint - term).exp() @ transition).clamp(min=least).log()
            terms.append(term.squeeze(1))
        return torch.cat(terms)

    @torch.no_grad()
    def sample(self, n: int, length: int, argmax: bool = False) -> Tensor:
        """n words letter by letter: codes (n, length); ignore codes after an END.

        Letters are drawn from P(. | h_t) or, with `argmax`, are the most probable ones; states are drawn in
        both cases.
        """
        initial, transition, emission = (
            torch.softmax(logits, -1) for logits in (self.initial, self.transition, self.emission)
        )
        states, drawn = torch.multinomial(initial, n, replacement=True), []
        for _ in range(length):
            probs = emission[states]
            drawn.append(probs.argmax(1) if argmax else torch.multinomial(probs, 1).squeeze(1))
            states = torch.multinomial(transition[states], 1).squeeze(1)
        return torch.stack(drawn, 1)
