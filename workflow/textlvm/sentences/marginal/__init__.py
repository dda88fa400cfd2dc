"""Estimates of the marginal likelihood p(x) of a trained model, under priors that know no test sentence."""
