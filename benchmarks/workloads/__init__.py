"""The workloads, in the order in which they are measured and shown."""

from __future__ import annotations

from workload import Workload

from workloads import depth, elementwise, large, layers, loops, networks, overhead, second

ALL: tuple[Workload, ...] = (
    *loops.WORKLOADS,
    *networks.WORKLOADS,
    *elementwise.WORKLOADS,
    *layers.WORKLOADS,
    *large.WORKLOADS,
    *second.WORKLOADS,
    *depth.WORKLOADS,
    *overhead.WORKLOADS,
)

NAMED = {workload.name: workload for workload in ALL}
assert len(NAMED) == len(ALL), "two workloads of one name"
