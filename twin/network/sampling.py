"""Whether a log holds instants, or means over the time between its samples, as many converters write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.network.voltage import predict_voltage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twin.network.network import Network
    from twin.network.trace import CellTrace

MOST_V: Final = 0.05  # of a step that counts: a spike must not decide


def is_averaged(network: Network, trace: CellTrace, rows: NDArray[np.int64]) -> bool:
    """Return which reading leaves less error from one sample of `rows` to the next.

    Steps of the error are compared, not the error: what is wrong slowly, such as the state of charge, cancels.
    """

    def find_roughness(*, averaged: bool) -> float:
        error_v = predict_voltage(network, trace, rows, averaged=averaged) - trace.voltage_v[rows]
        return float(np.mean(np.minimum(np.abs(np.diff(error_v)), MOST_V) ** 2)) if len(rows) > 1 else 0.0

    return find_roughness(averaged=True) < find_roughness(averaged=False)
