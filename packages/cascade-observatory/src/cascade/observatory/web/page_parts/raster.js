"use strict";

// --- the flashes of the last periods: as points, or counted ---

const PERIODS = 4;
const BINS = 32;  // in one period
const MARKS = Array.from({ length: PERIODS + 1 }, (_, back) => [1 - back / PERIODS, back ? `−${back}` : "now"]);

class RasterChart extends Chart {
  constructor(canvas, history, colours) {
    super(canvas, history, colours);
    this.asHistogram = false;
    this.counts = new Uint32Array(PERIODS * BINS + 1);
  }

  draw(time) {
    const { context, history } = this;
    this.fit();
    this.useCssPixels();
    context.clearRect(0, 0, this.width, this.height);
    const begin = time - PERIODS * history.period;
    const first = history.flashesUpTo(begin);
    const end = history.flashesUpTo(time);
    if (this.asHistogram) this.drawCounts(begin, first, end);
    else this.drawPoints(begin, first, end);
    this.label(context, MARKS);
  }

  // --- points: time to the right, fireflies from top to bottom ---

  drawPoints(begin, first, end) {
    const { context, history } = this;
    const width = Math.round(this.innerWidth * this.ratio);
    const height = Math.round(this.innerHeight * this.ratio);
    this.prepareDots(width, height);
    const times = history.flashTimes.values;
    const agents = history.flashAgents.values;
    const scale = width / (PERIODS * history.period);
    const wide = Math.max(1, Math.round(1.5 * this.ratio));
    const strength = 255 * Math.max(0.3, Math.min(1, height / history.agents));  // many may share a dot
    const high = Math.max(1, Math.min(3 * this.ratio, Math.floor(height / history.agents)));
    for (let index = first; index < end; index++) {
      const x = Math.floor((times[index] - begin) * scale);
      const y = Math.floor((agents[index] * height) / history.agents);
      this.dot(x, y, wide, high, strength);
    }
    const top = [[1, "0"], [0, numberFormat.format(history.agents - 1)]];
    context.putImageData(this.image, Math.round(this.x(0) * this.ratio), Math.round(this.y(1) * this.ratio));
    this.rule(context, top);
  }

  // An image of its own, since thousands of small rectangles would take too long. All of it has one
  // colour, and is transparent where nobody flashed.
  prepareDots(width, height) {
    if (!this.image || this.image.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.dots = new Uint32Array(this.image.data.buffer);
    }
    if (this.coloured !== this.colours.spark) {
      this.coloured = this.colours.spark;
      const [red, green, blue] = this.coloured.match(/[\d.]+/g).map(Number);
      [this.clear] = new Uint32Array(new Uint8Array([red, green, blue, 0]).buffer);
    }
    this.dots.fill(this.clear);
  }

  dot(x, y, wide, high, strength) {
    const { width, data } = this.image;
    for (let row = y; row < y + high; row++) {
      for (let column = x; column < Math.min(width, x + wide); column++) {
        data[4 * (row * width + column) + 3] += strength;
      }
    }
  }

  // --- counts: bars on a fixed grid of time, which moves with them ---

  drawCounts(begin, first, end) {
    const { context, counts, history } = this;
    const bin = history.period / BINS;
    const firstBin = Math.floor(begin / bin);
    const times = history.flashTimes.values;
    counts.fill(0);
    for (let index = first; index < end; index++) counts[Math.floor(times[index] / bin) - firstBin] += 1;
    const most = counts.reduce((one, other) => Math.max(one, other), 1);
    const step = Math.max(1, roundStep(most, 4));
    const top = step * Math.ceil(most / step);
    this.rule(context, Array.from({ length: top / step + 1 }, (_, mark) => [
      (mark * step) / top, numberFormat.format(mark * step),
    ]));
    context.fillStyle = this.colours.spark;
    for (let index = 0; index < counts.length; index++) {
      if (counts[index] === 0) continue;
      const left = Math.max(0, ((firstBin + index) * bin - begin) / (PERIODS * history.period));
      const right = Math.min(1, ((firstBin + index + 1) * bin - begin) / (PERIODS * history.period));
      const y = this.y(counts[index] / top);
      context.fillRect(this.x(left), y, this.x(right) - this.x(left) - 0.5, this.y(0) - y);
    }
  }
}
