"""Layers in a memory format: strides as PyTorch has them."""

import tgrad as torch


def test_images_are_stored_with_channels_last_and_vectors_stay() -> None:
    layer = torch.nn.Conv2d(3, 8, 3).to(memory_format=torch.channels_last)
    assert layer.weight.stride() == (27, 1, 9, 3)
    assert layer.bias.stride() == (1,)


def test_a_dtype_goes_with_it() -> None:
    layer = torch.nn.Conv2d(3, 8, 3).to(torch.float64, memory_format=torch.channels_last)
    assert (layer.weight.stride(), layer.weight.dtype) == ((27, 1, 9, 3), torch.float64)
    assert layer.bias.dtype == torch.float64
