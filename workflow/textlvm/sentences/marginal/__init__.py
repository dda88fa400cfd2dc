"""Estimates of the marginal likelihood p(x) of a trained model, under priors independent of the test set."""
