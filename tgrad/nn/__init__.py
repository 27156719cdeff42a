"""Modules, their parameters and starting values: `torch.nn`.

A file is imported when one of its names is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from tgrad.nn import functional, init
from tgrad.nn.module import Module
from tgrad.nn.parameter import (
    Buffer,
    Parameter,
    UninitializedBuffer,
    UninitializedParameter,
)
from tgrad.ops.install import install

install()

_FILES: Final = {
    "activations activation": """
        CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax
        Mish PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink
        Softsign Tanh Tanhshrink Threshold
    """,
    "attention activation": "MultiheadAttention",
    "containers container": "ModuleDict ModuleList Sequential",
    "parameter_containers container": "ParameterDict ParameterList",
    "convolutions conv": """
        Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d
    """,
    "images pooling": """
        AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
        AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d FractionalMaxPool2d FractionalMaxPool3d
        LPPool1d LPPool2d LPPool3d MaxPool1d MaxPool2d
        MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d
    """,
    "resizing upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
    "shuffling pixelshuffle": "PixelShuffle PixelUnshuffle",
    "shuffling channelshuffle": "ChannelShuffle",
    "shuffling fold": "Fold Unfold",
    "padding padding": """
        CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d
        ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d
        ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d
    """,
    "layers linear": "Bilinear Identity Linear",
    "layers dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
    "layers flatten": "Flatten Unflatten",
    "layers distance": "CosineSimilarity PairwiseDistance",
    "tables sparse": "Embedding EmbeddingBag",
    "lazy linear": "LazyLinear",
    "lazy conv": """
        LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d
    """,
    "lazy batchnorm": "LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d",
    "lazy instancenorm": "LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d",
    "losses loss": """
        BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CrossEntropyLoss GaussianNLLLoss
        HingeEmbeddingLoss HuberLoss KLDivLoss L1Loss MSELoss MarginRankingLoss MultiLabelMarginLoss
        MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NLLLoss2d PoissonNLLLoss SmoothL1Loss SoftMarginLoss
        TripletMarginLoss TripletMarginWithDistanceLoss
    """,
    "linear_loss adaptive": "AdaptiveLogSoftmaxWithLoss",
    "linear_loss linear_cross_entropy_options": "LinearCrossEntropyOptions",
    "linear_loss loss": "LinearCrossEntropyLoss",
    "normalization batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d",
    "normalization instancenorm": "InstanceNorm1d InstanceNorm2d InstanceNorm3d",
    "normalization normalization": "GroupNorm LayerNorm LocalResponseNorm RMSNorm",
    "recurrent rnn": "GRU LSTM RNN RNNBase",
    "cells rnn": "GRUCell LSTMCell RNNCell RNNCellBase",
    "transformer transformer": """
        Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder
        TransformerEncoderLayer
    """,
}
"""The files with the modules in them, and the names of PyTorch's files that classes tell."""

_PLACES: Final = {name: key for key, text in _FILES.items() for name in text.split()}
"""Each module's name with its key in `_FILES`."""

_ABSENT: Final = {
    "CrossMapLRN2d": "use LocalResponseNorm",
    "DataParallel": "there is one device; use the module itself",
    "SyncBatchNorm": "there is one process; use BatchNorm1d, BatchNorm2d or BatchNorm3d",
}
"""PyTorch's modules that aren't there, and what to use instead."""

__all__ = [
    *sorted([*_PLACES, *_ABSENT]), "Buffer", "Module", "Parameter", "UninitializedBuffer",
    "UninitializedParameter", "functional", "init", "utils",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        file, path = _PLACES[name].split()
        value = getattr(import_module(f"tgrad.nn.{file}"), name)
        value.__module__ = f"torch.nn.modules.{path}"
    elif name == "utils":
        value = import_module("tgrad.nn.utils")
    elif name in _ABSENT:
        from tgrad.ops.namespace import absent

        value = absent(f"torch.nn.{name}", _ABSENT[name])()
    else:
        raise AttributeError(f"module 'torch.nn' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
