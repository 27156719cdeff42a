"""Devices by their names: objects, where tensors are made, `torch.cuda`, and what is said without a GPU."""

from __future__ import annotations

import copy
import pickle
import sys
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

import tgrad as torch
from tests.devices import strict_cuda
from tgrad.backends.cupy_machine import check
from tgrad.backends.interface import Missing, NotInstalled, imported
from tgrad.core import device as devices
from tgrad.errors import DeviceError, DeviceMissingError

NOT_COMPILED = "Torch not compiled with CUDA enabled"
NO_ACCELERATOR = "Cannot access accelerator device when none is available."


@pytest.fixture
def no_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    """CuPy isn't installed."""
    monkeypatch.setitem(sys.modules, "cupy", None)


# ---------------------------------------------------------------- device objects


def test_the_ways_to_write_a_device() -> None:
    first = torch.device("cuda:0")
    assert first == torch.device("cuda", 0) == torch.device(type="cuda", index=0) == torch.device(first)
    assert (first.type, first.index, str(first), repr(first)) == (
        "cuda", 0, "cuda:0", "device(type='cuda', index=0)",
    )  # fmt: skip
    assert hash(first) == hash(torch.device("cuda", 0))
    assert first != torch.device("cuda")
    assert first != "cuda:0"
    assert torch.device(device="cuda").index is None


def test_a_device_is_copied_and_pickled() -> None:
    for device in (torch.device("cuda", 1), torch.device("cpu")):
        assert pickle.loads(pickle.dumps(device)) == copy.deepcopy(device) == device


def test_devices_have_no_order() -> None:
    with pytest.raises(TypeError, match="comparison not implemented"):
        sorted([torch.device("cpu"), torch.device("cuda")])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.device("cuda", -1), "Device index must not be negative"),
        (lambda: torch.device("cuda:01"), "Invalid device string: 'cuda:01'"),
        (lambda: torch.device("cud"), "Expected one of cpu, cuda, ipu"),
        (
            lambda: torch.device("cuda:0", 0),
            "type (string) must not include an index because index was passed explicitly: cuda:0",
        ),
        (lambda: torch.device("cpu", "x"), "device(): argument 'index' (position 2) must be int, not str"),
        (
            lambda: torch.device(torch.device("cuda"), 0),
            "device(): argument 'type' (position 1) must be str, not torch.device",
        ),
        (lambda: torch.device(True), "device() received an invalid combination of arguments - got (bool)"),
        (lambda: torch.zeros(2).cuda("cpu"), "Invalid device, must be cuda device"),
        (lambda: torch.zeros(2).cuda([1]), "cuda(): argument 'device' (position 1) must be torch.device"),
        (
            lambda: torch.Tensor(2, device="cuda"),
            "legacy constructor expects device type: cpu but device type: cuda was passed",
        ),
    ],
)
def test_what_is_no_device(make: Any, message: str) -> None:
    with pytest.raises((RuntimeError, TypeError)) as error:
        make()
    assert str(error.value).startswith(message)


def test_the_cpu_has_no_numbers() -> None:
    assert torch.zeros(1, device="cpu:1").device == torch.device("cpu")
    assert torch.zeros(1).to("cpu:0").device == torch.device("cpu")
    assert torch.zeros(1, device="cpu").get_device() == -1


def test_a_number_is_a_gpu(cuda: Any) -> None:
    assert torch.device(0) == torch.device("cuda:0")
    tensor = torch.zeros(2).to(0)
    assert tensor.is_cuda
    assert tensor.get_device() == 0
    assert torch.zeros(2, device=0).device == torch.zeros(2, device="cuda").device == torch.device("cuda:0")
    for make in (lambda: torch.zeros(2).to("cuda:1"), lambda: torch.zeros(2, device=1)):
        with pytest.raises(RuntimeError, match="CUDA error: invalid device ordinal") as error:
            make()
        assert error.value.hint == "there is one device of this type: cuda:0"


# ---------------------------------------------------------------- where tensors are made

FACTORIES = [
    "tensor([1.0], device=D)", "as_tensor([1.0], device=D)", "as_tensor(array, device=D)",
    "as_tensor(one, device=D)", "asarray(array, device=D)", "asarray([1, 2], device=D)",
    "zeros(2, device=D)", "ones(2, device=D)", "full((2,), 3, device=D)", "empty(2, device=D)",
    "empty_strided((2,), (1,), device=D)", "empty_permuted((2, 3), (1, 0), device=D)",
    "arange(3, device=D)", "range(1, 3, device=D)", "linspace(0, 1, 3, device=D)",
    "logspace(0, 1, 3, device=D)", "eye(2, device=D)", "scalar_tensor(3, device=D)",
    "rand(2, device=D)", "randn(2, device=D)", "randint(3, (2,), device=D)", "randperm(3, device=D)",
    "normal(0.0, 1.0, (2,), device=D)", "tril_indices(2, 2, device=D)", "triu_indices(2, 2, device=D)",
    "zeros_like(one, device=D)", "ones_like(one, device=D)", "full_like(one, 3, device=D)",
    "empty_like(one, device=D)", "rand_like(one, device=D)", "randn_like(one, device=D)",
    "randint_like(one, 3, device=D)", "one.new_zeros(2, device=D)", "one.new_ones(2, device=D)",
    "one.new_full((2,), 3.0, device=D)", "one.new_empty((2,), device=D)",
    "one.new_tensor([1.0], device=D)", "one.new_empty_strided((2,), (1,), device=D)",
    "hann_window(3, device=D)", "hamming_window(3, device=D)", "blackman_window(3, device=D)",
    "bartlett_window(3, device=D)", "kaiser_window(3, device=D)", "fft.fftfreq(4, device=D)",
    "fft.rfftfreq(4, device=D)", "signal.windows.gaussian(3, device=D)", "signal.windows.kaiser(3, device=D)",
    "signal.windows.general_cosine(3, a=[0.5, 0.5], device=D)", "signal.windows.nuttall(3, device=D)",
    "signal.windows.exponential(3, device=D)", "nn.Linear(2, 2, device=D).weight",
    "nn.Embedding(2, 2, device=D).weight",
]  # fmt: skip
"""Everything that has a parameter for the device."""

MADE_OF_OTHERS = [
    "zeros_like(there)", "rand_like(there)", "there.new_zeros(2)", "there.new_tensor([1.0])", "there.new(2)",
    "tensor(there)", "as_tensor(there)", "asarray(there)", "complex(there, there)", "polar(there, there)",
    "meshgrid(there, there, indexing='ij')[0]", "nn.functional.one_hot(there.long())",
    "combinations(there)", "cartesian_prod(there, there)", "vander(there)", "zeros(1).to(there)",
    "from_numpy(array).to(there.device)", "frombuffer(buffer, dtype=float32).cuda()",
]  # fmt: skip
"""What is on the device of the tensors that it is made of."""


def made(expression: str, device: str) -> Any:
    names = {name: getattr(torch, name) for name in dir(torch) if not name.startswith("_")}
    names |= {"array": numpy.ones(2, numpy.float32), "one": torch.ones(2), "nn": torch.nn}
    names |= {"buffer": bytearray(8), "D": device}
    if "there" in expression:
        names["there"] = torch.tensor([0.0, 1.0], device=device)
    return eval(expression, names)


@pytest.mark.filterwarnings("ignore:torch.range is deprecated", "ignore:To copy construct")
@pytest.mark.parametrize("expression", [*FACTORIES, *MADE_OF_OTHERS])
def test_the_device_is_honoured(cuda: Any, expression: str) -> None:
    torch.manual_seed(1)
    found = made(expression, "cuda")
    torch.manual_seed(1)
    expected = made(expression, "cpu").cpu()
    assert found.device == torch.device("cuda:0")
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if "empty" not in expression:
        torch.testing.assert_close(found.detach().cpu(), expected.detach())


def test_a_block_says_where_tensors_are_made(cuda: Any) -> None:
    with torch.device("cuda") as device:
        assert device == torch.device("cuda")
        assert torch.get_default_device() == torch.device("cuda:0")
        assert torch.zeros(1).is_cuda
        assert torch.tensor(1.0).is_cuda
        assert torch.nn.Linear(2, 2).weight.is_cuda
        assert torch.as_tensor(numpy.ones(1)).is_cuda
        # As in PyTorch, these are on the CPU unless they are told.
        assert torch.from_numpy(numpy.ones(1)).is_cpu
        assert torch.Tensor(2).is_cpu
        assert torch.FloatTensor(2).is_cpu
        assert torch.Generator().device == torch.device("cpu")
        with torch.device("cpu"):
            assert torch.zeros(1).is_cpu
        with pytest.raises(ZeroDivisionError), device:
            assert 1 / 0
        assert torch.zeros(1).is_cuda
    assert torch.zeros(1).is_cpu
    assert torch.get_default_device() == torch.device("cpu")


def test_the_default_device(cuda: Any) -> None:
    torch.set_default_device("cuda")
    try:
        assert torch.get_default_device() == torch.device("cuda", 0)
        assert torch.ones(2).is_cuda
    finally:
        torch.set_default_device(None)
    assert torch.ones(2).is_cpu


def test_the_default_device_is_looked_for_when_a_tensor_is_made(no_cupy: None) -> None:
    torch.set_default_device("cuda")
    try:
        for ask in (lambda: torch.zeros(1), torch.get_default_device):
            with pytest.raises(AssertionError, match=NOT_COMPILED):
                ask()
    finally:
        torch.set_default_device("cpu")


def test_tensor_types(cuda: Any) -> None:
    there = torch.cuda.FloatTensor([1, 2])
    assert there.type() == "torch.cuda.FloatTensor"
    assert torch.cuda.LongTensor(2, 3).shape == (2, 3)
    assert isinstance(there, torch.cuda.FloatTensor)
    assert not isinstance(there, torch.FloatTensor)
    assert not isinstance(torch.ones(1), torch.cuda.FloatTensor)
    assert torch.ones(1).type(torch.cuda.DoubleTensor).type() == "torch.cuda.DoubleTensor"
    assert torch.ones(1).type("torch.cuda.IntTensor").type() == "torch.cuda.IntTensor"
    assert there.type(torch.DoubleTensor).is_cpu
    assert there.type(torch.float64).is_cuda
    torch.set_default_tensor_type("torch.cuda.DoubleTensor")
    try:
        assert torch.ones(1).type() == "torch.cuda.DoubleTensor"
    finally:
        torch.set_default_tensor_type(torch.FloatTensor)
    assert torch.ones(1).type() == "torch.FloatTensor"


def test_random_numbers_are_the_cpus(cuda: Any) -> None:
    expected = torch.rand(4, generator=torch.Generator().manual_seed(3))
    generator = torch.Generator(device="cuda").manual_seed(3)
    assert generator.device.type == "cuda"
    found = [torch.rand(4, device="cuda", generator=generator)]
    for seed in (torch.manual_seed, torch.cuda.manual_seed, torch.cuda.manual_seed_all):
        seed(3)
        found.append(torch.rand(4, device="cuda"))
    torch.manual_seed(3)
    state = torch.cuda.get_rng_state()
    torch.rand(4)
    torch.cuda.set_rng_state(state)
    found.append(torch.rand(4, device="cuda"))
    assert all(torch.equal(one.cpu(), expected) for one in found)
    assert torch.cuda.initial_seed() == 3


def test_pinned_memory_is_accepted_where_there_is_a_gpu(cuda: Any) -> None:
    assert torch.zeros(2, pin_memory=True).pin_memory().to("cuda", non_blocking=True).is_cuda
    with pytest.raises(RuntimeError, match="only dense CPU tensors can be pinned"):
        torch.zeros(2, device="cuda").pin_memory()


# ---------------------------------------------------------------- torch.cuda


def test_what_the_gpu_is(cuda: Any) -> None:
    assert torch.cuda.is_available()
    assert torch.cuda.device_count() == 1
    assert torch.cuda.current_device() == 0
    assert torch.cuda.get_device_name() == torch.cuda.get_device_name("cuda:0") == "Stand-in"
    assert torch.cuda.get_device_capability(0) == (9, 0)
    assert torch.cuda.is_bf16_supported()
    found = torch.cuda.get_device_properties(torch.device("cuda"))
    assert (found.name, found.total_memory, found.major) == ("Stand-in", strict_cuda.TOTAL, 9)
    assert repr(found).startswith("_CudaDeviceProperties(name='Stand-in', major=9, minor=0, total_memory=")
    for device in (0, "cuda", torch.device("cuda:0"), -1, None):
        torch.cuda.set_device(device)
        torch.cuda.synchronize(device)
    with torch.cuda.device(0), torch.cuda.device_of(torch.ones(1)), torch.cuda.device("cuda:0"):
        assert torch.cuda.current_device() == 0


def test_gpus_that_there_are_none_of(cuda: Any) -> None:
    with pytest.raises(AssertionError, match="Invalid device id"):
        torch.cuda.get_device_name(1)
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.cuda.set_device(1)
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        torch.cuda.synchronize("cpu")
    with pytest.raises(ValueError, match="cpu doesn't match the current accelerator cuda"):
        torch.accelerator.synchronize("cpu")


def test_memory(cuda: Any) -> None:
    torch.zeros(1, device="cuda")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    kept = torch.zeros(1000, device="cuda")
    view = kept[:500].reshape(5, 100)
    assert torch.cuda.memory_allocated() - before == 4096
    another = torch.zeros(100_000, device="cuda")
    most = torch.cuda.memory_allocated()
    del another
    assert torch.cuda.memory_allocated() - before == 4096
    assert torch.cuda.max_memory_allocated() == most
    assert torch.cuda.memory_reserved() >= most
    held = torch.cuda.max_memory_reserved()
    torch.cuda.empty_cache()
    assert torch.cuda.memory_reserved() == torch.cuda.memory_allocated()
    assert torch.cuda.max_memory_reserved() == held
    torch.cuda.reset_peak_memory_stats()
    assert torch.cuda.max_memory_allocated("cuda") == torch.cuda.memory_allocated(0)
    assert torch.cuda.mem_get_info() == torch.accelerator.get_memory_info()
    assert torch.cuda.mem_get_info()[1] == strict_cuda.TOTAL
    del kept
    assert torch.cuda.memory_allocated() - before == 4096
    del view
    assert torch.cuda.memory_allocated() == before


def test_no_memory_left(cuda: Any) -> None:
    small = torch.zeros(100, device="cuda")
    devices.limit_memory(1 << 20)
    try:
        for make in (lambda: torch.zeros(1 << 20, device="cuda"), lambda: small.expand(10000, 100) + small):
            with pytest.raises(torch.cuda.OutOfMemoryError) as error:
                make()
            assert isinstance(error.value, RuntimeError)
            assert str(error.value).startswith("CUDA out of memory. Tried to allocate ")
            assert str(error.value).count(" MiB.") == 1
    finally:
        devices.limit_memory(None)
    assert torch.zeros(1 << 20, device="cuda").is_cuda


def test_time_between_events(cuda: Any) -> None:
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    with pytest.raises(ValueError, match="Both events must be recorded before calculating elapsed time"):
        start.elapsed_time(end)
    start.record()
    torch.ones(2, device="cuda") + 1
    end.record(torch.cuda.current_stream())
    torch.cuda.synchronize()
    assert start.query()
    assert start.elapsed_time(end) > 0 > end.elapsed_time(start)
    with pytest.raises(ValueError, match="Both events must be created with argument 'enable_timing=True'"):
        start.elapsed_time(torch.cuda.Event())


def test_streams_are_one(cuda: Any) -> None:
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        found = torch.ones(2, device="cuda") * 2
    torch.cuda.current_stream().wait_stream(stream)
    event = stream.record_event()
    event.synchronize()
    stream.wait_event(event)
    before = cuda.waits
    stream.synchronize()
    assert cuda.waits == before + 1
    assert stream.query()
    assert stream == torch.cuda.default_stream()
    assert found.tolist() == [2.0, 2.0]


def test_waiting_is_counted_once(cuda: Any) -> None:
    before = cuda.waits
    torch.cuda.synchronize()
    torch.accelerator.synchronize()
    assert cuda.waits == before + 2


def test_the_accelerator(cuda: Any) -> None:
    assert torch.accelerator.is_available()
    assert torch.accelerator.device_count() == 1
    assert torch.accelerator.current_accelerator() == torch.device("cuda")
    assert torch.accelerator.current_device_index() == 0
    torch.accelerator.set_device_index(0)
    assert torch.accelerator.memory_allocated() == torch.cuda.memory_allocated()


# ---------------------------------------------------------------- without CuPy, without a GPU


def test_questions_without_cupy(no_cupy: None) -> None:
    assert not torch.cuda.is_available()
    assert not torch.cuda.is_initialized()
    assert not torch.cuda.is_bf16_supported()
    assert not torch.accelerator.is_available()
    assert torch.accelerator.current_accelerator() is None
    assert torch.cuda.device_count() == 0
    assert torch.cuda.memory_allocated() == torch.cuda.max_memory_allocated() == 0
    assert torch.cuda.memory_reserved() == torch.cuda.max_memory_reserved() == 0
    assert torch.cuda.get_rng_state_all() == []
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    torch.cuda.manual_seed_all(7)
    torch.cuda.seed()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    assert torch.equal(torch.rand(2), expected)
    with torch.cuda.device_of(torch.ones(1)):
        assert torch.ones(1).is_cpu


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: torch.zeros(2, device="cuda"), AssertionError, NOT_COMPILED),
        (lambda: torch.zeros(2).cuda(), AssertionError, NOT_COMPILED),
        (lambda: torch.zeros(2).to("cuda:1"), AssertionError, NOT_COMPILED),
        (lambda: torch.nn.Linear(2, 2).cuda(), AssertionError, NOT_COMPILED),
        (lambda: torch.cuda.get_device_name(), AssertionError, NOT_COMPILED),
        (lambda: torch.cuda.synchronize(), AssertionError, NOT_COMPILED),
        (lambda: torch.cuda.current_stream(), AssertionError, NOT_COMPILED),
        (lambda: torch.cuda.mem_get_info(), AssertionError, NOT_COMPILED),
        (
            lambda: torch.Generator("cuda"), RuntimeError,
            "Cannot get CUDA generator without ATen_cuda library.",
        ),
        (lambda: torch.cuda.Event(), RuntimeError, "Tried to instantiate dummy base class Event"),
        (lambda: torch.cuda.Stream(), RuntimeError, "torch.cuda.Stream requires CUDA support"),
        (
            lambda: torch.cuda.device(0).__enter__(), RuntimeError,
            "PyTorch was compiled without CUDA support",
        ),
        (
            lambda: torch.cuda.FloatTensor(2), TypeError,
            "type torch.cuda.FloatTensor not available. Torch not compiled with CUDA enabled.",
        ),
        (
            lambda: torch.set_default_tensor_type("torch.cuda.FloatTensor"), TypeError,
            "type torch.cuda.FloatTensor not available. Torch not compiled with CUDA enabled.",
        ),
        (lambda: torch.device(0), RuntimeError, NO_ACCELERATOR),
        (lambda: torch.zeros(2).to(1), RuntimeError, NO_ACCELERATOR),
        (lambda: torch.accelerator.current_device_index(), RuntimeError, NO_ACCELERATOR),
    ],
)  # fmt: skip
def test_errors_without_cupy(no_cupy: None, make: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as error:
        make()
    assert str(error.value) == message
    assert error.value.hint == 'CuPy isn\'t installed: pip install "tgrad[gpu]"'


def test_errors_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.delitem(devices._BACKENDS, "dask", raising=False)
    monkeypatch.setattr(devices, "_TYPES", {})
    with pytest.raises(DeviceMissingError) as error:
        torch.zeros(2, device="dask")
    assert error.value.hint == 'Dask isn\'t installed: pip install "tgrad[dask]"'


class CUDARuntimeError(RuntimeError):
    status = 35


def cupy_with(count: Any, driver: int) -> Any:
    """A CuPy on a machine with so many GPUs, or that doesn't tell, and a driver."""

    def ask() -> int:
        if count is None:
            raise CUDARuntimeError("cudaErrorInsufficientDriver: too old")
        return count  # type: ignore[no-any-return]

    error = CUDARuntimeError
    runtime = SimpleNamespace(
        getDeviceCount=ask, driverGetVersion=lambda: driver, CUDARuntimeError=error
    )  # fmt: skip
    return SimpleNamespace(cuda=SimpleNamespace(runtime=runtime))


@pytest.mark.parametrize(
    ("cupy", "message", "hint"),
    [
        (cupy_with(None, 0), "Found no NVIDIA driver on your system.", "no NVIDIA driver, or no GPU"),
        (cupy_with(0, 12090), "No CUDA GPUs are available", "CUDA_VISIBLE_DEVICES"),
        (cupy_with(None, 9000), "No CUDA GPUs are available", "cudaErrorInsufficientDriver: too old"),
    ],
)
def test_a_machine_without_a_gpu(cupy: Any, message: str, hint: str) -> None:
    with pytest.raises(Missing) as error:
        check(cupy)
    assert str(error.value).startswith(message)
    assert hint in error.value.hint
    assert not isinstance(error.value, NotInstalled)


def test_a_gpu_that_doesnt_compute() -> None:
    def zeros(size: int) -> Any:
        raise RuntimeError("CuPy failed to load libnvrtc.so.12")

    cupy = cupy_with(1, 12090)
    cupy.zeros = zeros
    with pytest.raises(Missing, match="CUDA error: CuPy failed to load libnvrtc") as error:
        check(cupy)
    assert 'pip install "tgrad[gpu]"' in error.value.hint


def test_without_a_gpu_it_is_a_runtime_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", cupy_with(None, 0))
    assert not torch.cuda.is_available()
    with pytest.raises(DeviceError, match="Found no NVIDIA driver") as error:
        torch.zeros(2, device="cuda")
    assert isinstance(error.value, RuntimeError)
    assert "CuPy is installed" in error.value.hint


def test_a_library_that_cant_be_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "half_there.py").write_text("raise ImportError('====\\nlibcuda is too old\\n====')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Missing) as error:
        imported("half_there", "sentence", "It", "extra")
    assert str(error.value) == "sentence"
    assert error.value.hint == "It is installed but can't be loaded: libcuda is too old"


def test_a_generator_of_another_device() -> None:
    with pytest.raises(RuntimeError, match=r"Device type meta is not supported for torch.Generator\(\) api"):
        torch.Generator(device="meta")


def test_a_misspelt_device_keeps_its_sentence(no_cupy: None) -> None:
    with pytest.raises(RuntimeError, match=r"Expected one of cpu, cuda, .* at start of device string: cud$"):
        torch.zeros(2, device="cud")


@pytest.mark.filterwarnings("ignore:To copy construct")
def test_the_default_device_is_the_cpu_again(cuda: Any) -> None:
    there = torch.ones(2, device="cuda")
    torch.set_default_device("cuda")
    torch.set_default_device("cpu")
    assert torch.tensor(there).is_cuda
    with torch.device("cpu"):
        assert torch.tensor(there).is_cuda
