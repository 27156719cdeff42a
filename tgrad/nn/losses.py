"""Losses as modules: `torch.nn.MSELoss` and others."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from tgrad.errors import ArgumentValueError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn.activations import bind_options
from tgrad.nn.module import Module

_OLD = {"size_average": None, "reduce": None}


class Loss(Module):
    """A loss of `torch.nn.functional` with its options."""

    function: ClassVar[str]
    options: ClassVar[dict[str, Any]]
    tensors: ClassVar[frozenset[str]] = frozenset(("weight", "pos_weight"))

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__()
        given = bind_options(type(self).__name__, self.options, args, keywords)
        average, reduce = given.pop("size_average", None), given.pop("reduce", None)
        if average is not None or reduce is not None:
            from tgrad.ops.nn_loss import reduction_number

            number = reduction_number(None, average, reduce)
            given["reduction"] = ("none", "mean", "sum")[number]
        for name, value in given.items():
            if name in self.tensors:
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *args: Any) -> Any:
        """The loss of the arguments of the function."""
        names = [name for name in self.options if name not in _OLD]
        return getattr(F, self.function)(*args, **{n: getattr(self, n) for n in names})


def _loss(name: str, function: str, **options: Any) -> type[Loss]:
    return type(name, (Loss,), {
        "function": function, "options": options, "__module__": "torch.nn.modules.loss",
        "__doc__": f"`torch.nn.functional.{function}` as a module.",
    })  # fmt: skip


MEAN = {**_OLD, "reduction": "mean"}

MSELoss = _loss("MSELoss", "mse_loss", **MEAN)
L1Loss = _loss("L1Loss", "l1_loss", **MEAN)
SmoothL1Loss = _loss("SmoothL1Loss", "smooth_l1_loss", **MEAN, beta=1.0)
HuberLoss = _loss("HuberLoss", "huber_loss", reduction="mean", delta=1.0)
NLLLoss = _loss(
    "NLLLoss", "nll_loss", weight=None, size_average=None, ignore_index=-100, reduce=None,
    reduction="mean",
)  # fmt: skip


class NLLLoss2d(NLLLoss):  # type: ignore[misc,valid-type]
    """NLLLoss by its name in older versions."""

    __module__ = "torch.nn.modules.loss"

    def __init__(self, *args: Any, **keywords: Any) -> None:
        warnings.warn(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement and "
            "see https://pytorch.org/docs/main/nn.html#torch.nn.NLLLoss for more details.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__(*args, **keywords)


CrossEntropyLoss = _loss(
    "CrossEntropyLoss", "cross_entropy", weight=None, size_average=None, ignore_index=-100,
    reduce=None, reduction="mean", label_smoothing=0.0,
)  # fmt: skip
BCELoss = _loss("BCELoss", "binary_cross_entropy", weight=None, **MEAN)
BCEWithLogitsLoss = _loss(
    "BCEWithLogitsLoss", "binary_cross_entropy_with_logits", weight=None, **MEAN, pos_weight=None
)
KLDivLoss = _loss("KLDivLoss", "kl_div", **MEAN, log_target=False)
PoissonNLLLoss = _loss(
    "PoissonNLLLoss", "poisson_nll_loss", log_input=True, full=False, size_average=None, eps=1e-8,
    reduce=None, reduction="mean",
)  # fmt: skip
GaussianNLLLoss = _loss("GaussianNLLLoss", "gaussian_nll_loss", full=False, eps=1e-6, reduction="mean")
HingeEmbeddingLoss = _loss("HingeEmbeddingLoss", "hinge_embedding_loss", margin=1.0, **MEAN)
SoftMarginLoss = _loss("SoftMarginLoss", "soft_margin_loss", **MEAN)
CosineEmbeddingLoss = _loss("CosineEmbeddingLoss", "cosine_embedding_loss", margin=0.0, **MEAN)
MarginRankingLoss = _loss("MarginRankingLoss", "margin_ranking_loss", margin=0.0, **MEAN)
TripletMarginLoss = _loss(
    "TripletMarginLoss", "triplet_margin_loss", margin=1.0, p=2.0, eps=1e-6, swap=False, **MEAN
)
MultiLabelMarginLoss = _loss("MultiLabelMarginLoss", "multilabel_margin_loss", **MEAN)
MultiLabelSoftMarginLoss = _loss(
    "MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss", weight=None, **MEAN
)
MultiMarginLoss = _loss("MultiMarginLoss", "multi_margin_loss", p=1, margin=1.0, weight=None, **MEAN)
CTCLoss = _loss("CTCLoss", "ctc_loss", blank=0, reduction="mean", zero_infinity=False)


class TripletMarginWithDistanceLoss(Loss):
    """`torch.nn.functional.triplet_margin_with_distance_loss` as a module."""

    function = "triplet_margin_with_distance_loss"
    options: ClassVar[dict[str, Any]] = {
        "distance_function": None, "margin": 1.0, "swap": False, "reduction": "mean",
    }  # fmt: skip

    def __init__(self, *, distance_function: Any = None, **keywords: Any) -> None:
        from tgrad.nn.layers import PairwiseDistance

        if keywords.get("margin", 1.0) <= 0:
            raise ArgumentValueError(
                "TripletMarginWithDistanceLoss: expected margin to be greater than 0, got "
                f"{keywords['margin']} instead"
            )
        super().__init__(**keywords, distance_function=distance_function or PairwiseDistance())
