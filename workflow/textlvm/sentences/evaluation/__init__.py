"""What is measured of a trained model of the sentences paper."""
