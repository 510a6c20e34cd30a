"use strict";

// --- what was seen: flashes and the order parameter over time, in arrays that grow ---

class Column {
  constructor(Kind) {
    this.values = new Kind(1024);
    this.length = 0;
  }

  extend(more) {
    const length = this.length + more.length;
    if (length > this.values.length) {
      const larger = new this.values.constructor(2 * length);
      larger.set(this.values.subarray(0, this.length));
      this.values = larger;
    }
    this.values.set(more, this.length);
    this.length = length;
  }

  // How many values come up to and including a limit; they never fall.
  countUpTo(limit) {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.values[middle] <= limit) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

class FlashHistory {
  constructor(metadata) {
    this.title = metadata.title;
    this.parameters = metadata.parameters;
    this.agents = metadata.agents;
    this.columns = metadata.columns;
    this.period = metadata.period;
    this.duration = 0;
    this.inStepAfter = null;
    this.flashTimes = new Column(Float64Array);
    this.flashAgents = new Column(Uint32Array);
    this.orderTimes = new Column(Float64Array);
    this.orderValues = new Column(Float64Array);
  }

  extend(until, flashes, order, inStepAfter) {
    this.flashTimes.extend(flashes.times);
    this.flashAgents.extend(flashes.agents);
    this.orderTimes.extend(order.times);
    this.orderValues.extend(order.values);
    this.duration = until;
    this.inStepAfter = inStepAfter;
  }

  flashesUpTo(time) {
    return this.flashTimes.countUpTo(time);
  }

  // The newest r that was known at a time; null before the first one.
  orderAt(time) {
    const known = this.orderTimes.countUpTo(time);
    return known ? this.orderValues.values[known - 1] : null;
  }

  isInStepAt(time) {
    return this.inStepAfter !== null && time >= this.inStepAfter;
  }
}

// --- the compact form: base64 of LEB128, microseconds since the flash before ---

function numbersFrom(base64, Kind, count) {
  const bytes = atob(base64);
  const numbers = new Kind(count);
  let place = 0;
  for (let index = 0; index < count; index++) {
    let number = 0;
    let unit = 1;
    let byte;
    do {
      byte = bytes.charCodeAt(place++);
      number += (byte & 127) * unit;  // a shift would end at 31 bits
      unit *= 128;
    } while (byte > 127);
    numbers[index] = number;
  }
  return numbers;
}

function decodeFlashes(encoded) {
  const times = numbersFrom(encoded.times, Float64Array, encoded.count);
  let ticks = 0;
  for (let index = 0; index < times.length; index++) {
    ticks += times[index];
    times[index] = ticks / 1e6;
  }
  return { times, agents: numbersFrom(encoded.agents, Uint32Array, encoded.count) };
}

function historyOf(recording) {
  const history = new FlashHistory(recording);
  history.extend(
    recording.duration, decodeFlashes(recording.flashes), recording.order, recording.in_step_after,
  );
  return history;
}
