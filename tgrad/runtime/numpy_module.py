"""What a program gets as `numpy`: real NumPy functions and arrays, without files, text or memory.

Left out on purpose: everything that reads or writes files (`load`, `save`, `loadtxt`, `fromfile`,
`memmap`), evaluates text (`bmat`, strings in `r_`), looks into memory (`frombuffer`, `ctypeslib`,
`lib`, `nditer`, calling `ndarray`), and `resize` and `choose` (see `tgrad.runtime.attributes`).
Structured dtypes are refused wherever a dtype is taken: a view of some of their fields exposes the
pointers of the object fields next to them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from tgrad.errors import NotAvailableError
from tgrad.runtime.classes import view

FUNCTIONS = """
    abs absolute add all allclose amax amin angle any append apply_along_axis arccos arccosh arcsin
    arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort argwhere around array2string
    array_equal array_equiv array_repr array_split array_str atleast_1d atleast_2d atleast_3d
    average bincount bitwise_and bitwise_count bitwise_not bitwise_or bitwise_xor broadcast_arrays
    broadcast_shapes broadcast_to can_cast cbrt ceil clip column_stack compress concat concatenate
    conj conjugate convolve copysign copyto corrcoef correlate cos cosh count_nonzero cov cross
    cumprod cumsum cumulative_prod cumulative_sum deg2rad degrees delete diag diag_indices diagflat
    diagonal diff digitize divide divmod dot dsplit dstack ediff1d einsum equal exp exp2 expand_dims
    expm1 extract fabs fill_diagonal fix flatnonzero flip fliplr flipud float_power floor
    floor_divide fmax fmin fmod format_float_positional format_float_scientific frexp gcd geterr
    gradient greater greater_equal heaviside histogram histogram2d histogram_bin_edges hsplit hypot
    i0 imag indices inner insert interp intersect1d invert isclose iscomplex iscomplexobj isfinite
    isin isinf isnan isneginf isposinf isreal isrealobj isscalar issubdtype iterable ix_ kron lcm
    ldexp left_shift less less_equal lexsort log log10 log1p log2 logaddexp logaddexp2 logical_and
    logical_not logical_or logical_xor matmul matrix_transpose matvec max maximum mean median
    meshgrid min minimum mod modf moveaxis multiply nan_to_num nanargmax nanargmin nancumprod
    nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar
    ndim negative nextafter nonzero not_equal outer packbits pad partition percentile permute_dims
    place poly polyadd polyder polydiv polyfit polyint polymul polysub polyval positive power
    printoptions prod promote_types ptp put put_along_axis putmask quantile rad2deg radians ravel
    ravel_multi_index real reciprocal remainder repeat reshape result_type right_shift rint roll
    rollaxis roots rot90 round row_stack searchsorted select set_printoptions get_printoptions
    setdiff1d setxor1d shape sign signbit sin sinc sinh size sort sort_complex spacing split sqrt
    square squeeze std subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace
    transpose trapezoid tril tril_indices trim_zeros triu triu_indices true_divide trunc union1d
    unique unique_counts unique_values unpackbits unravel_index unwrap vander var vdot vecdot vecmat
    where bartlett blackman hamming hanning kaiser piecewise
"""

_WITH_DTYPE = {
    "arange": None,
    "array": 1,
    "asanyarray": 1,
    "asarray": 1,
    "ascontiguousarray": 1,
    "astype": 1,
    "copy": None,
    "empty": 1,
    "empty_like": 1,
    "eye": 3,
    "fromfunction": None,
    "fromiter": 1,
    "full": 2,
    "full_like": 2,
    "geomspace": 4,
    "hstack": None,
    "identity": 1,
    "linspace": 5,
    "logspace": 5,
    "ones": 1,
    "ones_like": 1,
    "stack": None,
    "tri": 3,
    "vstack": None,
    "zeros": 1,
    "zeros_like": 1,
}
"""Functions that take a dtype, and at which place among the positional arguments."""

_CHECKED_KEYWORDS = (
    "concatenate",
    "concat",
    "dstack",
    "column_stack",
    "row_stack",
    "corrcoef",
    "cov",
    "einsum",
    "indices",
    "trace",
)

CONSTANTS = "e euler_gamma inf nan newaxis pi little_endian False_ True_"

SCALARS = """
    bool bool_ byte cdouble character complex128 complex64 complexfloating csingle double float16
    float32 float64 floating generic half inexact int16 int32 int64 int8 int_ intc integer intp
    long longdouble longlong number short signedinteger single str_ ubyte uint uint16 uint32 uint64
    uint8 uintc uintp ulong ulonglong unsignedinteger ushort datetime64 timedelta64 object_
"""

CLASSES = "finfo iinfo ndenumerate ndindex poly1d"

LINALG = """
    cholesky cond cross det diagonal eig eigh eigvals eigvalsh inv lstsq matmul matrix_norm
    matrix_power matrix_rank matrix_transpose multi_dot norm outer pinv qr slogdet solve svd svdvals
    tensordot tensorinv tensorsolve trace vecdot vector_norm LinAlgError
"""

FFT = """
    fft fft2 fftfreq fftn fftshift ifft ifft2 ifftn ifftshift irfft irfft2 irfftn rfft rfft2
    rfftfreq rfftn
"""

TESTING = """
    assert_allclose assert_almost_equal assert_approx_equal assert_array_almost_equal
    assert_array_equal assert_array_less assert_equal
"""

RANDOM = """
    beta binomial bytes chisquare choice dirichlet exponential f gamma geometric gumbel
    hypergeometric laplace logistic lognormal logseries multinomial multivariate_normal
    negative_binomial noncentral_chisquare noncentral_f normal pareto permutation poisson power rand
    randint randn random random_integers random_sample rayleigh seed shuffle standard_cauchy
    standard_exponential standard_gamma standard_normal standard_t triangular uniform vonmises wald
    weibull zipf
"""

GENERATOR = "integers permuted spawn multivariate_hypergeometric"

_OWN = "dtype ndarray ufunc r_ c_ s_ index_exp mgrid ogrid seterr errstate vectorize __version__"

NAMES = {
    "numpy": f"{FUNCTIONS} {' '.join(_WITH_DTYPE)} {CONSTANTS} {SCALARS} {CLASSES} {_OWN}",
    "numpy.linalg": LINALG,
    "numpy.fft": FFT,
    "numpy.testing": TESTING,
    "numpy.random": f"{RANDOM} default_rng RandomState Generator ranf sample",
}
"""Public names of each module, separated by white space."""


def numpy_names() -> dict[str, Any]:
    """The names of `numpy` itself, submodules aside."""
    import numpy

    plain = f"{FUNCTIONS} {CONSTANTS} {SCALARS}".split()
    names = {name: getattr(numpy, name) for name in plain if hasattr(numpy, name)}
    names |= {name: view(getattr(numpy, name), getattr(numpy, name)) for name in CLASSES.split()}
    for name, place in _WITH_DTYPE.items():
        names[name] = _checked(getattr(numpy, name), place)
    for name in _CHECKED_KEYWORDS:
        if name in names:
            names[name] = _checked(names[name], None)
    names |= {
        "__version__": numpy.__version__,
        "dtype": view(numpy.dtype, plain_dtype),
        "ndarray": view(numpy.ndarray, _no_ndarray),
        "ufunc": view(numpy.ufunc),
        "r_": _Concatenator(numpy.r_),
        "c_": _Concatenator(numpy.c_),
        "s_": _Concatenator(numpy.s_),
        "index_exp": _Concatenator(numpy.index_exp),
        "mgrid": _Concatenator(numpy.mgrid),
        "ogrid": _Concatenator(numpy.ogrid),
        "seterr": _seterr,
        "errstate": _errstate,
        "vectorize": _vectorize,
    }
    return names


def submodule_names(module: str) -> dict[str, Any]:
    """The names of `numpy.linalg`, `numpy.fft`, `numpy.testing` or `numpy.random`."""
    import importlib

    real = importlib.import_module(module)
    if module == "numpy.random":
        return _random_names(real)
    return {name: getattr(real, name) for name in NAMES[module].split() if hasattr(real, name)}


def _random_names(random: Any) -> dict[str, Any]:
    # A state of the program's own: a session doesn't disturb the random numbers of its host.
    state = random.RandomState()
    names = {name: getattr(state, name) for name in RANDOM.split() if hasattr(state, name)}
    names |= {
        "ranf": state.random_sample,
        "sample": state.random_sample,
        "default_rng": _default_rng,
        "RandomState": view(random.RandomState, _random_state),
        "Generator": view(random.Generator),
    }
    return names


def _seed(seed: Any) -> Any:
    import numpy

    if isinstance(seed, numpy.random.Generator):
        return seed
    if seed is None or isinstance(seed, (int, numpy.integer)):
        return seed
    return [int(item) for item in seed]


def _default_rng(seed: Any = None) -> Any:
    import numpy

    return numpy.random.default_rng(_seed(seed))


def _random_state(seed: Any = None) -> Any:
    import numpy

    return numpy.random.RandomState(_seed(seed))


def plain_dtype(dtype: Any, align: bool = False, copy: bool = False) -> Any:
    """`numpy.dtype(dtype)` for dtypes without fields.

    Raises NotAvailableError for a structured dtype or one with a shape.
    """
    import numpy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = numpy.dtype(dtype)
    if result.names is not None or result.subdtype is not None:
        raise NotAvailableError("tgrad has no structured dtypes; use one array for each field")
    return result


def _checked(function: Callable[..., Any], place: int | None) -> Callable[..., Any]:
    """`function`, refusing structured dtypes."""

    def checked(*arguments: Any, **keywords: Any) -> Any:
        if place is not None and len(arguments) > place and arguments[place] is not None:
            plain_dtype(arguments[place])
        if keywords and keywords.get("dtype") is not None:
            plain_dtype(keywords["dtype"])
        return function(*arguments, **keywords)

    checked.__name__ = checked.__qualname__ = function.__name__
    return checked


def astype_method(array: Any) -> Callable[..., Any]:
    """`array.astype` as a program gets it."""
    return _checked(array.astype, 0)


def _no_ndarray(*arguments: Any, **keywords: Any) -> Any:
    raise NotAvailableError("make arrays with numpy.array, numpy.empty or numpy.zeros")


def _vectorize(pyfunc: Callable[..., Any], otypes: Any = None, **keywords: Any) -> Any:
    import numpy

    for otype in otypes or ():
        plain_dtype(otype)
    return numpy.vectorize(pyfunc, otypes, **keywords)


class _Concatenator:
    """`numpy.r_` and its like without the strings that select rows by name."""

    __slots__ = ("_real",)
    _real: Any

    def __init__(self, real: Any) -> None:
        object.__setattr__(self, "_real", real)

    def __getitem__(self, key: Any) -> Any:
        if any(isinstance(item, str) for item in (key if isinstance(key, tuple) else (key,))):
            raise NotAvailableError("numpy.r_ and numpy.c_ take no strings here")
        return self._real[key]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"attribute '{name}' can't be assigned to")


_FLOAT_ERRORS = ("all", "divide", "over", "under", "invalid")


def _error_keywords(keywords: Iterable[str]) -> None:
    for name in keywords:
        if name not in _FLOAT_ERRORS:
            raise TypeError(f"unexpected keyword argument '{name}'")


def _seterr(**keywords: Any) -> Any:
    import numpy

    _error_keywords(keywords)
    return numpy.seterr(**keywords)


def _errstate(**keywords: Any) -> Any:
    import numpy

    _error_keywords(keywords)
    return numpy.errstate(**keywords)
