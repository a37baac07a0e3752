"""A run's model as a TorchScript program of stock layers."""
