"""The text of tensors, against what PyTorch 2.13.0 prints (`tests/golden/text`)."""

from __future__ import annotations

import base64
import importlib.util
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tgrad.core import print_options
from tgrad.core.text import (
    PrintOptions,
    current_printoptions,
    get_printoptions,
    named_tuple_text,
    printoptions,
    set_printoptions,
    size_text,
    tensor_text,
)
from tgrad.errors import ShapeError

GOLDEN = Path(__file__).parent.parent / "golden" / "text"
CASES = [json.loads(line) for line in (GOLDEN / "cases.jsonl").read_text().splitlines()]
TENSORS = [case for case in CASES if "array" in case]


@pytest.fixture(autouse=True)
def _default_options() -> Iterator[None]:
    set_printoptions(profile="default")
    yield
    set_printoptions(profile="default")


def rebuilt(spec: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The array of a recorded case."""
    data = zlib.decompress(base64.b64decode(spec["data"]))
    array = np.frombuffer(data, dtype=spec["dtype"]).reshape(spec["shape"])
    if "axes" in spec:
        array = array.transpose(spec["axes"])
    return array[..., ::2] if "step" in spec else array


def text_of(case: dict[str, Any], options: PrintOptions | None = None) -> str:
    """What tgrad writes for a recorded case."""
    return tensor_text(
        rebuilt(case["array"]),
        dtype=case["dtype"],
        default_dtype=case.get("default", "torch.float32"),
        device=case.get("device"),
        requires_grad=case.get("requires_grad", False),
        grad_fn=case.get("grad_fn"),
        options=options,
    )


def assert_texts(pairs: list[tuple[dict[str, Any], str]]) -> None:
    """Each text is the recorded one; shows the first few that aren't."""
    wrong = [(case, text) for case, text in pairs if text != case["text"]]
    shown = "\n".join(f"{case}\nwanted\n{case['text']}\ngot\n{text}" for case, text in wrong[:3])
    assert not wrong, f"{len(wrong)} of {len(pairs)} differ\n{shown}"


# ---- recorded texts


def test_the_recording_covers_every_dtype_and_suffix() -> None:
    assert len(TENSORS) > 1900
    assert {case["dtype"].removeprefix("torch.") for case in TENSORS} == {
        *("float16", "bfloat16", "float32", "float64", "complex64", "complex128", "bool"),
        *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    }
    for key in ("options", "default", "device", "requires_grad", "grad_fn"):
        assert sum(key in case for case in TENSORS) > 40, key
    for notation in ("e+", "...", ".,", "nan", "inf", "-0.", "size=", "dtype=", "True"):
        assert sum(notation in case["text"] for case in TENSORS) > 20, notation


@pytest.mark.parametrize("dtype", sorted({case["dtype"] for case in TENSORS}))
def test_text_is_what_pytorch_prints(dtype: str) -> None:
    pairs = []
    for case in TENSORS:
        if case["dtype"] == dtype:
            set_printoptions(profile="default")
            set_printoptions(**case.get("options", {}))
            pairs.append((case, text_of(case)))
    assert_texts(pairs)


def test_options_given_by_the_caller_take_the_place_of_the_current_ones() -> None:
    set_printoptions(precision=1, edgeitems=1, threshold=2, linewidth=15, sci_mode=True)
    plain = [case for case in TENSORS if "options" not in case]
    assert_texts([(case, text_of(case, PrintOptions())) for case in plain])


def test_size_text() -> None:
    cases = [case for case in CASES if "size" in case]
    assert len(cases) == 5
    assert [size_text(case["size"]) for case in cases] == [case["text"] for case in cases]


def test_named_tuple_text() -> None:
    cases = [case for case in CASES if "named_tuple" in case]
    assert len(cases) == 13
    for case in cases:
        fields = [(name, text) for name, text in case["fields"]]
        assert named_tuple_text(case["named_tuple"], fields) == case["text"]


# ---- what the recording doesn't hold


def test_device_of_another_kind() -> None:
    text = tensor_text(np.ones(2, np.float16), dtype="torch.float16", device="cuda:0")
    assert text == "tensor([1., 1.], device='cuda:0', dtype=torch.float16)"


def test_grad_fn_hides_requires_grad() -> None:
    array = np.float32([1.5])
    text = tensor_text(array, dtype="torch.float32", requires_grad=True, grad_fn="AddBackward0")
    assert text == "tensor([1.5000], grad_fn=<AddBackward0>)"


def test_indent_moves_the_later_lines_and_narrows_them() -> None:
    rows = np.arange(6.0).reshape(2, 3)
    assert tensor_text(rows, dtype="torch.float64", default_dtype="torch.float64", indent=4) == (
        "tensor([[0., 1., 2.],\n"
        "            [3., 4., 5.]])"
    )  # fmt: skip
    short = PrintOptions(linewidth=24)
    assert tensor_text(np.arange(4), dtype="torch.int64", options=short) == "tensor([0, 1, 2, 3])"
    assert tensor_text(np.arange(4), dtype="torch.int64", options=short, indent=6) == (
        "tensor([0, 1, 2,\n"
        "              3])"
    )  # fmt: skip
    narrow = PrintOptions(linewidth=32)
    scalar = np.array(1.0)
    assert tensor_text(scalar, dtype="torch.float64", options=narrow) == (
        "tensor(1., dtype=torch.float64)"
    )
    assert tensor_text(scalar, dtype="torch.float64", options=narrow, indent=1) == (
        "tensor(1.,\n        dtype=torch.float64)"
    )


def test_indent_is_counted_once_for_a_text_of_several_lines() -> None:
    rows = np.arange(6.0).reshape(2, 3)
    fits = tensor_text(rows, dtype="torch.float64", options=PrintOptions(linewidth=48), indent=4)
    assert fits.endswith("\n            [3., 4., 5.]], dtype=torch.float64)")
    breaks = tensor_text(rows, dtype="torch.float64", options=PrintOptions(linewidth=47), indent=4)
    assert breaks.endswith("\n            [3., 4., 5.]],\n           dtype=torch.float64)")


def test_bfloat16_arrays_are_widened() -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    array = np.array([0.1, 1.0, -3.0], dtype=bfloat16)
    assert tensor_text(array, dtype="torch.bfloat16") == (
        "tensor([ 0.1001,  1.0000, -3.0000], dtype=torch.bfloat16)"
    )


def test_a_summary_touches_only_what_it_shows() -> None:
    # Four exabytes, seen through strides of zero: nothing but the edges can be read.
    vast = np.broadcast_to(np.float32(0.5), (2**20, 2**20, 2**20))
    text = tensor_text(vast, dtype="torch.float32")
    assert text.startswith("tensor([[[0.5000, 0.5000, 0.5000,  ..., 0.5000, 0.5000, 0.5000],\n")
    assert text.count("0.5000") == 6**3


def test_values_beyond_the_range_of_a_ratio() -> None:
    # 1e308 / 5e-324 is beyond every float.
    text = tensor_text(np.array([1e308, 5e-324]), dtype="torch.float64")
    assert text == "tensor([1.0000e+308, 4.9407e-324], dtype=torch.float64)"


def test_the_array_is_left_alone() -> None:
    array = np.arange(6.0).reshape(2, 3)
    array.flags.writeable = False
    before = array.copy()
    tensor_text(array.T, dtype="torch.float64")
    np.testing.assert_array_equal(array, before)


def test_negative_edgeitems_fail_as_in_pytorch() -> None:
    set_printoptions(edgeitems=-1, threshold=2)
    text = tensor_text(np.arange(5), dtype="torch.int64")
    assert text == "tensor([0, 1, 2, 3,  ..., 1, 2, 3, 4])"
    with pytest.raises(ShapeError, match=r"^stack expects a non-empty TensorList$"):
        tensor_text(np.arange(6).reshape(2, 3), dtype="torch.int64")


# ---- options

DEFAULT = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None}


def test_profiles() -> None:
    assert get_printoptions() == DEFAULT
    set_printoptions(profile="short")
    assert get_printoptions() == {**DEFAULT, "precision": 2, "edgeitems": 2}
    set_printoptions(profile="full")
    assert get_printoptions() == {**DEFAULT, "threshold": float("inf")}
    set_printoptions(precision=7, linewidth=100, profile="short")
    assert get_printoptions() == {**DEFAULT, "precision": 7, "edgeitems": 2, "linewidth": 100}
    set_printoptions(profile="default")
    assert get_printoptions() == DEFAULT
    set_printoptions(profile="no such profile")
    assert get_printoptions() == DEFAULT


def test_sci_mode_goes_back_to_none_when_left_out() -> None:
    set_printoptions(sci_mode=True)
    assert get_printoptions()["sci_mode"] is True
    set_printoptions(precision=2)
    assert get_printoptions() == {**DEFAULT, "precision": 2}


def test_zero_is_a_setting_too() -> None:
    set_printoptions(precision=0, threshold=0, edgeitems=0, linewidth=0, sci_mode=False)
    assert list(get_printoptions().values()) == [0, 0, 0, 0, False]


def test_there_is_one_current_object() -> None:
    current = current_printoptions()
    set_printoptions(precision=6)
    assert current_printoptions() is current
    assert current.precision == 6
    assert print_options.current_printoptions is current_printoptions


def test_printoptions_restores_what_was_there() -> None:
    set_printoptions(precision=6, sci_mode=True)
    before = get_printoptions()
    with printoptions(precision=2, edgeitems=1):
        assert get_printoptions() == {**before, "precision": 2, "edgeitems": 1, "sci_mode": None}
    assert get_printoptions() == before
    with pytest.raises(KeyError), printoptions(threshold=3):
        raise KeyError
    assert get_printoptions() == before


# ---- with PyTorch itself


def recorder() -> ModuleType:
    """The script that recorded the cases, for its random tensors."""
    spec = importlib.util.spec_from_file_location("record_text", GOLDEN / "record.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.live
def test_fresh_random_tensors_against_pytorch() -> None:
    pytest.importorskip("torch")
    record = recorder()
    cases = record.Recorder(seed=int.from_bytes(np.random.default_rng().bytes(4)))
    record.at_random(cases)
    pairs = []
    for line in cases.lines:
        case = json.loads(line)
        set_printoptions(profile="default")
        set_printoptions(**case.get("options", {}))
        pairs.append((case, text_of(case)))
    assert_texts(pairs)
