"""Probability distributions: `torch.distributions`."""

__all__: list[str] = []
