"""The same model, written a second time and as plainly as can be: an event heap, no bus, no engine."""

import heapq
from math import exp


def flashes_of(neighbours, phases, seconds, *, b, epsilon, refractory, period=1.0):
    """Return every flash up to then as (time, agent)."""
    alpha = exp(b * epsilon)
    due = [0.0 + (1.0 - phase) * period for phase in phases]
    last = [float("-inf")] * len(phases)
    heap = [(time, agent) for agent, time in enumerate(due)]
    heapq.heapify(heap)
    flashes = []
    while heap[0][0] <= seconds:
        now, first = heapq.heappop(heap)
        if due[first] != now:
            continue  # a pulse has moved this deadline
        flashing = [first]
        for agent in flashing:  # grows: who is pushed over the top flashes at the same instant
            last[agent], due[agent] = now, now + period
            heapq.heappush(heap, (due[agent], agent))
            flashes.append((now, agent))
            for other in neighbours[agent]:
                phase = 1.0 - (due[other] - now) / period
                if last[other] == now or other in flashing or phase < refractory:
                    continue
                phase = alpha * phase + (alpha - 1) / (exp(b) - 1)
                if phase >= 1.0:
                    flashing.append(other)
                else:
                    due[other] = now + (1.0 - phase) * period
                    heapq.heappush(heap, (due[other], other))
    return flashes
