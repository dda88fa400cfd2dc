"""The autoregressive baseline of Tables 3 and 4 (LSTM-LM), after He et al. (2019), and one with a GRU."""

from torch import Tensor, nn

from textlvm.sentences.data.batches import SentenceBatch
from textlvm.sentences.models.recurrent import CELLS
from textlvm.sentences.models.softmax import target_log_probs
from textlvm.sentences.spec import ModelSpec

__all__ = ["LanguageModel"]


class LanguageModel(nn.Module):
    """A decoder without latent variable, so the likelihood is exact.

    As in He et al., dropout is applied to the embedded words and to the states before the output layer.
    """

    def __init__(self, spec: ModelSpec, vocabulary_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, spec.embedding)
        self.dropout = nn.Dropout(spec.dropout)
        self.decoder = CELLS[spec.cell](spec.embedding, spec.hidden)
        self.output = nn.Linear(spec.hidden, vocabulary_size)

    def log_likelihood(self, batch: SentenceBatch) -> tuple[Tensor, Tensor]:
        """log p(words) and log p(<eos>|words) in nats, (B,) each, in the order of the batch."""
        embedded = self.dropout(self.embedding(batch.decoder_inputs))
        states = self.dropout(self.decoder(embedded, batch.packing))
        log_probs = target_log_probs(states, self.output.weight, self.output.bias, batch.targets)
        return batch.words_and_end(log_probs)
