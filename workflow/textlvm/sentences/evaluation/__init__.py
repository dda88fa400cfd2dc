"""The evaluation of a trained model of the sentences paper."""
