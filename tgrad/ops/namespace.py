"""The names of `torch` and its modules, for programs and for `import tgrad as torch`.

`modules()` maps a module's path to its names.  Operators come from the rows; everything else is
listed here.  Values behind a `Lazy` are made when they are first asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, Final

from tgrad.backends import switches
from tgrad.core import dtype as dtypes
from tgrad.core import modes
from tgrad.core.device import Device
from tgrad.core.dtype import DType
from tgrad.core.memory_format import FORMATS, MemoryFormat
from tgrad.core.tensor import Layout, Size, Tensor, strided
from tgrad.errors import ArgumentError, LinAlgError, NotAvailableError, OutOfMemoryError
from tgrad.ops import autograd_names, convert, environment, factory, legacy, typeinfo
from tgrad.ops.arguments import AbsentDType
from tgrad.ops.install import LazyNames, torch_names


def _from(module: str, name: str) -> Callable[[], Any]:
    """An object of a module that is imported only when the object is asked for."""
    return lambda: getattr(import_module(module), name)


def absent(name: str, instead: str) -> Callable[[], Any]:
    """A function that says that PyTorch's function isn't there, and what to use."""

    def function(*args: Any, **keywords: Any) -> Any:
        raise NotAvailableError(f"{name} is not available in tgrad: {instead}")

    function.__name__ = name.rpartition(".")[2]
    function.__doc__ = f"Not available: {instead}"
    return lambda: function


def _torch() -> LazyNames:
    names = torch_names()
    names.update(dtypes.ALIASES)
    names.update(
        Tensor=Tensor, Size=Size, device=Device, dtype=DType, layout=Layout, strided=strided,
        tensor=factory.tensor, as_tensor=factory.as_tensor, asarray=factory.asarray,
        from_numpy=factory.from_numpy,
        no_grad=modes.no_grad, enable_grad=modes.enable_grad,
        inference_mode=modes.inference_mode, set_grad_enabled=modes.set_grad_enabled,
        is_grad_enabled=modes.is_grad_enabled,
        is_inference_mode_enabled=modes.is_inference_mode_enabled,
        is_anomaly_enabled=modes.is_anomaly_enabled,
        is_anomaly_check_nan_enabled=modes.is_anomaly_check_nan_enabled,
        finfo=typeinfo.finfo, iinfo=typeinfo.iinfo, promote_types=typeinfo.promote_types,
        result_type=typeinfo.result_type, can_cast=typeinfo.can_cast,
        get_default_dtype=typeinfo.get_default_dtype,
        set_default_dtype=typeinfo.set_default_dtype,
        is_tensor=typeinfo.is_tensor, typename=typeinfo.typename, **typeinfo.TENSOR_QUESTIONS,
        memory_format=MemoryFormat, **FORMATS, OutOfMemoryError=OutOfMemoryError,
        __version__=PYTORCH, pi=math.pi, e=math.e, inf=math.inf, nan=math.nan, newaxis=None,
        get_num_threads=get_num_threads, set_num_threads=set_num_threads,
        set_printoptions=_set_printoptions,
    )  # fmt: skip
    names.update(legacy.typed_constructors())
    names.update(environment.FUNCTIONS)
    names.makers.update(
        Generator=_from("tgrad.core.random", "Generator"),
        default_generator=_from("tgrad.ops.random", "default_generator"),
        **{name: _from("tgrad.ops.random", name) for name in RANDOM_STATE},
    )
    names.makers.update(
        {name: _from("tgrad.ops.foreign", name) for name in ("frombuffer", "from_dlpack")}
    )
    names.makers["vmap"] = autograd_names.from_file("batching", "vmap")
    for name in ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc"):
        names[name] = Layout(name)
    names["complex32"] = names["chalf"] = AbsentDType("complex32", "use complex64")
    for name, instead in {**dict.fromkeys(SPARSE_FUNCTIONS, DENSE), **ABSENT}.items():
        names.makers.setdefault(name, absent(f"torch.{name}", instead))
    return names


DATA: Final = (
    "torch.utils.data", "torch.utils.data.dataset", "torch.utils.data.dataloader",
    "torch.utils.data.sampler",
)  # fmt: skip
PYTORCH: Final = "2.13.0+cpu"
"""`torch.__version__`: the PyTorch whose behaviour is followed.  tgrad's own is `tgrad.__version__`."""

RANDOM_STATE: Final = ("manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state")

SIGNAL_WINDOWS: Final = (
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
)  # fmt: skip

MASKED: Final = (
    "sum", "prod", "cumsum", "cumprod", "amax", "amin", "argmax", "argmin", "mean", "median", "norm", "var",
    "std", "softmax", "log_softmax", "softmin", "normalize", "logaddexp", "logsumexp",
)  # fmt: skip

ABSENT: Final = {
    "compile": "programs run as they are; leave it out",
    "load": "use the language's load(), for which the command line has --allow-read, or numpy.load",
    "save": "use the language's save(), for which the command line has --allow-write, or numpy.save",
    "sparse_coo_tensor": "tensors are dense; use torch.zeros and indexing",
    "smm": "tensors are dense; use torch.mm",
    "spmm": "tensors are dense; use torch.mm",
    "dsmm": "tensors are dense; use torch.mm",
    "hsmm": "tensors are dense; use torch.mm",
    "hspmm": "tensors are dense; use torch.mm",
    "saddmm": "tensors are dense; use torch.addmm",
    "sspaddmm": "tensors are dense; use torch.addmm",
    "lobpcg": "use torch.linalg.eigh, and take the last eigenvalues",
    "quantize_per_tensor": "tensors aren't quantized; use round() and a scale",
    "autocast": "choose dtypes with .to(), .half() or .bfloat16()",
    "GradScaler": "choose dtypes with .to(), .half() or .bfloat16()",
    "cond": "use if",
    "while_loop": "use while",
    "from_file": "use numpy.load",
    "to_dlpack": "use the tensor itself, or .numpy()",
    "lstm": "use torch.nn.LSTM",
    "gru": "use torch.nn.GRU",
    "rnn_tanh": "use torch.nn.RNN",
    "rnn_relu": "use torch.nn.RNN",
    "lstm_cell": "use torch.nn.LSTMCell",
    "gru_cell": "use torch.nn.GRUCell",
    "rnn_tanh_cell": "use torch.nn.RNNCell",
    "rnn_relu_cell": "use torch.nn.RNNCell",
}
"""Names of PyTorch's that tgrad hasn't, and what to use instead."""

SPARSE_FUNCTIONS: Final = (
    "sparse_compressed_tensor", "sparse_csr_tensor", "sparse_csc_tensor", "sparse_bsr_tensor",
    "sparse_bsc_tensor", "resize_as_sparse_", "hspmm", "hsmm", "dsmm", "smm", "spmm", "saddmm", "sspaddmm",
    "indices_copy", "values_copy", "crow_indices_copy", "col_indices_copy", "ccol_indices_copy",
    "row_indices_copy",
)  # fmt: skip
SPARSE_METHODS: Final = (
    "to_sparse", "to_sparse_coo", "to_sparse_csr", "to_sparse_csc", "to_sparse_bsr", "to_sparse_bsc",
    "to_padded_tensor", "coalesce", "is_coalesced", "indices", "values", "crow_indices", "col_indices",
    "ccol_indices", "row_indices", "sparse_dim", "dense_dim", "sparse_mask", "sparse_resize_",
    "sparse_resize_and_clear_", "resize_as_sparse_", "smm", "sspaddmm",
)  # fmt: skip
DENSE: Final = "tensors are dense; use torch.zeros and indexing"
"""What calling one of these says."""


def get_num_threads() -> int:
    """How many threads work on large tensors; see tgrad.backends.threads."""
    from tgrad.backends import threads

    return threads.count


def set_num_threads(num: int) -> None:
    """Set how many threads work on large tensors, and for how many large sums are rounded."""
    from tgrad.backends import sums, threads

    if type(num) is not int:
        raise ArgumentError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise ArgumentError("set_num_threads expects a positive integer")
    threads.count = sums.threads = num


def _set_printoptions(*args: Any, **options: Any) -> None:
    """How tensors are printed: precision, threshold, edgeitems, linewidth, profile, sci_mode."""
    from tgrad.core.print_options import set_printoptions

    set_printoptions(*args, **options)


def modules() -> dict[str, LazyNames]:
    """The module paths that start with `torch`, each with its names; made once."""
    if not _MODULES:
        _MODULES.update(_make_modules())
    return _MODULES


_MODULES: Final[dict[str, LazyNames]] = {}


def _plain(**values: Any) -> LazyNames:
    names = LazyNames({})
    names.update(values)
    return names


def _make_modules() -> dict[str, LazyNames]:
    found = {"torch": _torch()}
    for path in ("torch.linalg", "torch.special", "torch.nn.functional", "torch.fft"):
        found[path] = torch_names(path)
    found["torch.linalg"]["LinAlgError"] = LinAlgError
    found.update(autograd_names.modules(absent))
    found["torch.cuda"] = ModuleNames("tgrad.ops.cuda")
    found["torch.accelerator"] = ModuleNames("tgrad.ops.accelerator")
    for path in ("torch.mps", "torch.xpu"):
        found[path] = _plain(**environment.NOT_HERE)
    found["torch.version"] = _plain(cuda=None, hip=None, debug=False, git_version="")
    found["torch.backends"] = _plain(**switches.GROUPS)
    found["torch.random"] = LazyNames(
        {name: _from("tgrad.ops.random", name) for name in (*RANDOM_STATE, "fork_rng", "default_generator")}
    )
    found["torch.testing"] = LazyNames({"assert_close": _from("tgrad.ops.testing", "assert_close")})
    found["torch.nn"] = ModuleNames("tgrad.nn")
    found["torch.nn.modules"] = ModuleNames("tgrad.nn")
    found["torch.nn.parameter"] = LazyNames({"Parameter": _from("tgrad.nn", "Parameter")})
    found["torch.functional"] = found["torch"]
    found["torch.optim"] = ModuleNames("tgrad.optim")
    found["torch.distributions"] = ModuleNames("tgrad.distributions")
    for path, names in DISTRIBUTIONS.items():
        found[f"torch.distributions.{path}"] = LazyNames(
            {name: _from("tgrad.distributions", name) for name in names.split()}
        )
    found["torch.signal"] = _plain()
    found["torch.signal.windows"] = LazyNames(
        {name: _from("tgrad.ops.signal_windows", name) for name in SIGNAL_WINDOWS}
    )
    found["torch.masked"] = LazyNames({name: _from("tgrad.ops.masked", name) for name in MASKED})
    found["torch.utils"] = _plain()
    for path in DATA:
        found[path] = ModuleNames("tgrad.data")
    return found


DISTRIBUTIONS: Final = {
    "bernoulli": "Bernoulli", "beta": "Beta", "binomial": "Binomial", "categorical": "Categorical",
    "cauchy": "Cauchy", "chi2": "Chi2", "dirichlet": "Dirichlet", "distribution": "Distribution",
    "exp_family": "ExponentialFamily", "exponential": "Exponential",
    "gamma": "Gamma", "geometric": "Geometric", "gumbel": "Gumbel",
    "half_cauchy": "HalfCauchy", "half_normal": "HalfNormal", "independent": "Independent",
    "kl": "kl_divergence register_kl", "laplace": "Laplace", "log_normal": "LogNormal",
    "mixture_same_family": "MixtureSameFamily", "multinomial": "Multinomial",
    "multivariate_normal": "MultivariateNormal", "normal": "Normal",
    "one_hot_categorical": "OneHotCategorical", "pareto": "Pareto", "poisson": "Poisson",
    "studentT": "StudentT", "transformed_distribution": "TransformedDistribution", "uniform": "Uniform",
    "weibull": "Weibull",
}  # fmt: skip
"""The modules inside `torch.distributions` that programs import from, and their names."""


class ModuleNames(LazyNames):
    """The exported names of a Python module of tgrad's, imported when one is asked for."""

    def __init__(self, module: str) -> None:
        super().__init__({})
        self._module = module

    def _load(self) -> None:
        if self._module:
            module, self._module = import_module(self._module), ""
            self.makers.update((name, partial(getattr, module, name)) for name in module.__all__)

    def __missing__(self, name: str) -> Any:
        self._load()
        return super().__missing__(name)

    def __contains__(self, name: object) -> bool:
        self._load()
        return super().__contains__(name)

    def __iter__(self) -> Any:
        self._load()
        return super().__iter__()


def install_methods() -> None:
    """The methods of Tensor that aren't rows."""
    for name, method in {**convert.METHODS, **environment.METHODS}.items():
        setattr(Tensor, name, method)
    for name in SPARSE_METHODS:
        setattr(Tensor, name, absent(f"torch.Tensor.{name}", DENSE)())
    for name, ask in typeinfo.TENSOR_QUESTIONS.items():
        setattr(Tensor, name, ask)
    Tensor.nelement = typeinfo.TENSOR_QUESTIONS["numel"]  # type: ignore[attr-defined]
