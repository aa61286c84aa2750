"""Spikes and traces as Neo objects, for Elephant and others."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .models import model, models

if TYPE_CHECKING:
    from ._activity import Activity

#: Units of the catalogue that the package quantities writes in another way.
_UNITS = {"": "dimensionless"}


def block_of(activity: "Activity") -> Any:
    """See `Activity.to_neo`."""
    try:
        import neo
        import quantities as pq
    except ImportError:
        raise ImportError("to_neo() needs Neo: pip install neo.") from None
    result = activity._result()
    start, end = result.start_ms * pq.ms, result.end_ms * pq.ms
    block = neo.Block(name=result.model, description="Simulated with Tessera")
    for name, size, _ in result.populations():
        segment = neo.Segment(name=name)
        spikes = activity.spikes[name]
        trains = neo.core.spiketrainlist.SpikeTrainList.from_spike_time_array(
            np.array(spikes["time"]), np.array(spikes["neuron"]), np.arange(size), t_start=start, t_stop=end, units="ms",
            population=name)
        segment.spiketrains = trains
        for trace in activity.traces:
            if trace.population == name and len(trace.times):
                segment.analogsignals.append(_signal(neo, pq, trace))
        block.segments.append(segment)
    return block


def _signal(neo: Any, pq: Any, trace: Any) -> Any:
    times = trace.times
    period = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 1.0
    unit = _unit(trace.variable)
    return neo.AnalogSignal(trace.values, units=_UNITS.get(unit, unit), t_start=times[0] * pq.ms, sampling_period=period * pq.ms,
                            name=trace.variable, array_annotations={"channel_ids": np.arange(trace.values.shape[1])})


def _unit(variable: str) -> str:
    """Of a state variable; models that have it agree."""
    return next((m.states[variable] for m in map(model, models()) if variable in m.states), "")
