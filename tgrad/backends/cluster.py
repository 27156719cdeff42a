"""A Dask cluster that exists already: connecting to it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from tgrad._version import __version__
from tgrad.backends.interface import Missing

PATIENCE = 5.0
"""Seconds that a scheduler has to answer."""


def connect(address: str, patience: float = PATIENCE) -> Any:
    """A `distributed.Client` of the scheduler at an address; from now on it computes what is on `dask`.

    Missing where `distributed` isn't installed, where nobody answers, and where the cluster's versions of
    Python, Dask or tgrad aren't this process's.
    """
    try:
        from distributed import Client
    except ImportError:
        raise Missing(
            "a cluster needs Dask's distributed scheduler, which isn't installed",
            hint="pip install 'tgrad[dask]'",
        ) from None
    _check_address(address)
    logging.getLogger("distributed").setLevel(logging.ERROR)  # what matters arrives as an exception
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions, which are looked at below
            client = Client(address, timeout=patience)
    except (OSError, TimeoutError, ValueError, ImportError) as error:
        raise _nobody(address, patience, error) from None
    try:
        _check_versions(client, address)
    except BaseException:
        client.close()
        raise
    return client


def _check_address(address: str) -> None:
    protocol, separator, rest = address.partition("://")
    if not separator:
        protocol, rest = "tcp", address
    host, _, port = rest.rpartition(":")
    numbered = not protocol.startswith("tcp") and protocol != "tls"
    if not rest or not (numbered or (host and port.isdecimal())):
        raise Missing(f"{address!r} isn't the address of a scheduler", hint="write tcp://host:8786")


def _nobody(address: str, patience: float, error: Exception) -> Missing:
    late = isinstance(error, (TimeoutError, OSError))
    why = "nobody answers" if late else f"{error}".strip().partition("\n")[0] or type(error).__name__
    return Missing(
        f"no Dask scheduler at {address}: {why}",
        hint="`dask scheduler` starts one and says its address, `dask worker ADDRESS` its workers",
    )


def version() -> str:
    """This process's tgrad."""
    return __version__


def _check_versions(client: Any, address: str) -> None:
    """Missing where parts of the cluster have other versions than this process of what must be the same."""
    try:
        found = client.get_versions()
        tgrads = client.run(version, on_error="return")
    except (OSError, TimeoutError) as error:
        raise _nobody(address, PATIENCE, error) from None
    if not found["workers"]:
        raise Missing(f"the cluster at {address} has no workers", hint=f"`dask worker {address}` starts one")
    here = _packages(found["client"])
    _compare("the scheduler", _packages(found["scheduler"]), here, ("python", "dask", "distributed"), address)
    for name, there in found["workers"].items():
        packages = {**_packages(there), "tgrad": tgrads.get(name)}
        needed = ("python", "dask", "distributed", "numpy", "tgrad")
        _compare(f"the worker {name}", packages, {**here, "tgrad": __version__}, needed, address)


def _compare(
    who: str, there: Mapping[str, Any], here: Mapping[str, Any], needed: Sequence[str], address: str
) -> None:
    for package in needed:
        if there.get(package) == here.get(package):
            continue
        if not isinstance(there.get(package), str):
            raise Missing(
                f"{who} of the cluster at {address} has no {package}",
                hint="start it in an environment with pip install 'tgrad[dask]'",
            )
        raise Missing(
            f"{who} of the cluster at {address} has {package} {there[package]}, this process {here[package]}",
            hint="the scheduler, the workers and this process need the same versions",
        )


def _packages(part: Mapping[str, Any] | None) -> dict[str, Any]:
    """The versions of the packages of a part of the cluster; Python's without its last number."""
    packages = dict((part or {}).get("packages", {}))
    packages["python"] = ".".join(str(packages.get("python")).split(".")[:2])
    return packages
