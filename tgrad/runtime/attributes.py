"""Which attribute names a program may write after a dot.

Programs are compiled against one set of names, whatever the type of the object in front of the dot.
So a name may be on the list only if it is harmless on *every* object that a program can hold: that
is why `resize` is missing although `numpy.resize` would be useful (`ndarray.resize` can leave
other arrays pointing to freed memory).  `DENIED` lists what must never slip in through a table or
through a new operator; `GUARDED` lists names that are fine on tensors and not on everything.
"""

from __future__ import annotations

from functools import cache

GUARDED = frozenset({"format", "data", "astype"})
"""Names whose reading is decided at run time, by the type of the object: they aren't on the list,
so that the compiler hands them to `tgrad.runtime.reflection.missing`.

`str.format` reads attributes by name, `ndarray.data` is raw memory (copying one of an object array
over another breaks reference counts), `ndarray.astype` can make structured arrays that hide object
pointers.
"""

_DENIED = """
    ag_await ag_code ag_frame as_strided_unchecked attrgetter base bit_generator bump_version
    capsule cast cffi code cr_await cr_code cr_frame ctypes current_edge dump dumps edges f_back
    f_builtins f_code f_globals f_lineno f_locals f_trace flags format_map free
    fromfile func getfield gi_code gi_frame gi_yieldfrom hooks keywords legacy_constructor
    memmap methodcaller mro names nditer need_hooks newbyteorder obj operands origin own_storage
    pyfunc raw rebase_history recarray recorded release require_grad resize saved saved_value
    savetxt savez set_state setfield setflags setstate storage_of strided_history tb_frame
    tb_lasti tb_lineno tb_next tofile unpacked view_error view_of_memory walk walk_from
    with_traceback
"""

DENIED = frozenset(_DENIED.split())
"""Names that no table may bring in: ways to memory, files, frames, code or arbitrary attributes.

Some (`code`, `origin`, `saved`, `edges`, `raw`, `view_of_memory`, ...) are members of graph nodes
and tensors that belong to the engine.
"""

_STR = """
    capitalize casefold center count encode endswith expandtabs find format index isalnum isalpha
    isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper
    join ljust lower lstrip maketrans partition removeprefix removesuffix replace rfind rindex
    rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate
    upper zfill decode
"""

_CONTAINERS = """
    append clear copy count extend index insert pop remove reverse sort
    fromkeys get items keys popitem setdefault update values
    add difference difference_update discard intersection intersection_update isdisjoint issubset
    issuperset symmetric_difference symmetric_difference_update union
    appendleft extendleft popleft rotate maxlen default_factory move_to_end
    elements most_common subtract total
    start stop step indices
"""

_NUMBERS = """
    as_integer_ratio bit_count bit_length conjugate denominator fromhex hex imag is_integer
    numerator real
"""

_OTHER = """
    send close args name value errno filename strerror msg lineno offset text
    cache_clear cache_info hits misses maxsize currsize
    tm_year tm_mon tm_mday tm_hour tm_min tm_sec tm_wday tm_yday tm_isdst
    message category
    allow_tf32 benchmark benchmark_limit deterministic enabled is_available is_built version
    untyped
    __name__ __version__
"""

_NDARRAY = """
    all any argmax argmin argpartition argsort astype byteswap clip compress conj conjugate copy
    cumprod cumsum data diagonal dot dtype fill flat flatten imag item itemsize max mean min nbytes
    ndim nonzero partition prod ptp put ravel real repeat reshape round searchsorted shape size
    sort squeeze std strides sum swapaxes take tobytes tolist trace transpose var view T mT
    kind num str char isnative alignment hasobject
    accumulate at nargs nin nout ntypes outer reduce reduceat signature types identity
    eps epsneg resolution tiny smallest_normal smallest_subnormal bits precision nmant nexp
    order deg coef c r roots
"""


_GRAPH = """
    backward detach grad grad_fn is_leaf requires_grad_ retain_grad
    name next_functions metadata register_hook register_prehook requires_grad variable remove
    numel category is_floating_point is_complex is_signed to_real to_complex type index
    values indices manual_seed initial_seed seed device get_state
    solution residuals rank singular_values
    elapsed_time query record record_event synchronize wait wait_event wait_stream
    L2_cache_size major minor multi_processor_count total_memory warp_size
"""


_LAYERS = """
    AdaptiveAvgPool2d AvgPool1d AvgPool2d BCELoss BCEWithLogitsLoss BatchNorm1d BatchNorm2d Bilinear
    CELU Conv1d Conv2d Conv3d ConvTranspose2d CosineEmbeddingLoss CrossEntropyLoss Dropout Dropout1d
    Dropout2d ELU Embedding Flatten GELU GRU GRUCell GroupNorm HuberLoss Identity KLDivLoss L1Loss
    LSTM LSTMCell LayerNorm LeakyReLU Linear LogSigmoid LogSoftmax MSELoss MarginRankingLoss
    MaxPool1d MaxPool2d Mish Module ModuleDict ModuleList NLLLoss PReLU Parameter ParameterDict
    ParameterList PoissonNLLLoss RNN RNNCell ReLU ReLU6 SELU Sequential SiLU Sigmoid SmoothL1Loss
    Softmax Softmin Softplus Softsign Tanh TransformerEncoder TransformerEncoderLayer
    TripletMarginLoss Unflatten init functional utils
    add_module apply append bias bidirectional buffers children eval extend extra_repr forward
    get_parameter hidden_size in_channels in_features kernel_size load_state_dict modules
    named_buffers named_children named_modules named_parameters num_embeddings out_channels
    out_features p padding parameters register_buffer register_forward_hook register_module
    register_parameter state_dict stride to train training weight zero_grad
    ASGD Adadelta Adagrad Adam AdamW Adamax LBFGS NAdam Optimizer RAdam RMSprop Rprop SGD
    add_param_group defaults lr lr_scheduler param_groups state step
    CosineAnnealingLR ExponentialLR LambdaLR LinearLR MultiStepLR OneCycleLR ReduceLROnPlateau
    StepLR get_last_lr
    BatchSampler ChainDataset ConcatDataset DataLoader Dataset IterableDataset RandomSampler Sampler
    SequentialSampler StackDataset Subset default_convert
    SubsetRandomSampler TensorDataset WeightedRandomSampler batch_sampler batch_size collate_fn data
    dataloader dataset default_collate drop_last indices num_samples num_workers random_split
    sampler tensors
"""


@cache
def plain_attribute_names() -> frozenset[str]:
    """The attribute names of Python's own values, known without loading anything."""
    return _allowed(set((_STR + _CONTAINERS + _NUMBERS + _OTHER).split()))


@cache
def module_attribute_names() -> frozenset[str]:
    """The names in modules other than torch's, known without loading the modules."""
    from tgrad.runtime.modules import listed_names

    return _allowed(listed_names())


@cache
def listed_attribute_names() -> frozenset[str]:
    """The names in the texts above, and those that rows have; known without reading a row."""
    from tgrad.ops.rows import names_in_index

    return _allowed({*(_NDARRAY + _GRAPH + _LAYERS).split(), *names_in_index()})


@cache
def attribute_names() -> frozenset[str]:
    """All attribute names but those of layers; needs the operators, so it loads NumPy."""
    from tgrad.runtime.modules import torch_attribute_names

    names = _tensor_names() | torch_attribute_names()
    return plain_attribute_names() | listed_attribute_names() | module_attribute_names() | _allowed(names)


@cache
def layer_attribute_names() -> frozenset[str]:
    """The names in `torch.nn` and `torch.optim`, and those of their classes; loads both."""
    from tgrad.runtime.modules import Modules, loaded_names

    modules = Modules()
    names: set[str] = set()
    for path in ("torch.nn", "torch.nn.init", "torch.nn.utils", "torch.optim", LR_SCHEDULER, *RARE):
        for name, value in loaded_names(modules.import_module(path, False)).items():
            names.add(name)
            names.update(dir(value) if isinstance(value, type) else ())
    return _allowed(names)


LR_SCHEDULER = "torch.optim.lr_scheduler"
RARE = (
    "torch.nn.utils.rnn", "torch.nn.utils.parametrize", "torch.nn.utils.prune",
    "torch.optim.swa_utils", "torch.distributions", "torch.distributions.constraints",
)  # fmt: skip


def is_allowed(name: str) -> bool:
    """Whether a program may read an attribute of this name directly; loads no more than it must."""
    if name in GUARDED or name in DENIED:
        return False
    return (
        name in plain_attribute_names()
        or name in listed_attribute_names()
        or name in module_attribute_names()
        or name in attribute_names()
        or name in layer_attribute_names()
    )


class AttributeNames(frozenset[str]):
    """The allowlist as the compiler asks for it: name by name, so that little is loaded."""

    def __contains__(self, name: object) -> bool:
        return is_allowed(str(name))


def _allowed(names: set[str]) -> frozenset[str]:
    kept = {"__name__", "__version__"}
    return frozenset(name for name in names - DENIED - GUARDED if not name.startswith("_") or name in kept)


def _tensor_names() -> set[str]:
    """Public names of tensors and of what hangs on them: nodes, sizes, dtypes, devices."""
    from tgrad.core.tensor import Size, Tensor
    from tgrad.ops.install import install
    from tgrad.ops.table import TABLE

    install()
    fields = [name for head in TABLE.heads.values() for name in head.fields]
    return {*dir(Tensor), *dir(Size), *fields}
