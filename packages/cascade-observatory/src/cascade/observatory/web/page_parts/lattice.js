"use strict";

// --- the fireflies: each glows at its flash, and fades ---

const FADING = 0.16;  // periods after which a light has e^-1 of its brightness
const LEVELS = 64;    // of brightness; at the lowest, a light is part of the night
const DARK_AFTER = 0.6;  // periods after which a light is hardly brighter than the night
const MAX_SIZE = 40;  // CSS pixels
const NIGHT = [44, 52, 66];
const LEAF = [150, 190, 52];
const FLASH = [255, 250, 190];
const SKY = ["#080c18", "#0b1320", "#0e1a20"];

// The colour of a light from 0 (night) over a leafy green to 1 (flash): red, green, blue.
function glow(brightness) {
  const [low, high, part] = brightness < 0.5
    ? [NIGHT, LEAF, 2 * brightness]
    : [LEAF, FLASH, 2 * brightness - 1];
  return low.map((value, index) => Math.round(value + (high[index] - value) * part));
}

function rgb([red, green, blue], alpha) {
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

// One picture for each level, to be added to the night: a core, and a halo that grows with the light.
class Lights {
  constructor(size) {
    this.size = size;
    this.core = Math.max(0.75, 0.17 * size);
    this.step = 2 * this.radius(LEVELS - 1);
    this.atlas = document.createElement("canvas");
    this.atlas.width = this.atlas.height = 8 * this.step;
    const context = this.atlas.getContext("2d");
    for (let level = 1; level < LEVELS; level++) this.paint(context, level);
  }

  radius(level) {
    return Math.ceil(this.size * (0.3 + (1.2 * level) / (LEVELS - 1))) + 1;
  }

  left(level) { return (level % 8) * this.step; }

  top(level) { return (level >> 3) * this.step; }

  paint(context, level) {
    const brightness = level / (LEVELS - 1);
    const colour = glow(brightness);
    const radius = this.radius(level);
    const x = this.left(level) + radius;
    const y = this.top(level) + radius;
    const halo = glow(0.7 * brightness);  // greener than the light: many of them add up to a haze
    this.disc(context, x, y, radius, halo, [[0, 0.42], [0.25, 0.16], [0.55, 0.045], [1, 0]], brightness);
    const core = colour.map((value, index) => Math.max(0, value - NIGHT[index]));
    this.disc(context, x, y, this.core * (1.2 + 0.4 * brightness), core, [[0, 1], [0.6, 1], [1, 0]], 1);
  }

  // A disc of one colour; pairs of a place, from the middle (0) to the rim (1), and how dense it is there.
  disc(context, x, y, radius, colour, stops, density) {
    const gradient = context.createRadialGradient(x, y, 0, x, y, radius);
    for (const [place, alpha] of stops) gradient.addColorStop(place, rgb(colour, alpha * density));
    context.fillStyle = gradient;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
}

class Lattice extends Canvas {
  constructor(canvas, history) {
    super(canvas, { alpha: false });
    this.history = history;
    this.levels = new Uint8Array(history.agents);
    this.x = new Int32Array(history.agents);
    this.y = new Int32Array(history.agents);
    this.strength = 1;
    canvas.setAttribute("aria-label", `The lights of ${numberFormat.format(history.agents)} fireflies`);
  }

  draw(time) {
    if (this.fit()) this.layOut();
    this.updateLevels(time);
    const { context, lights, levels } = this;
    context.globalCompositeOperation = "source-over";
    context.drawImage(this.night, 0, 0);
    context.globalCompositeOperation = "lighter";
    for (let agent = 0; agent < levels.length; agent++) {
      const level = levels[agent];
      if (level === 0) continue;
      const radius = this.radii[level];
      const size = 2 * radius;
      const x = this.x[agent] - radius;
      const y = this.y[agent] - radius;
      context.drawImage(lights.atlas, lights.left(level), lights.top(level), size, size, x, y, size, size);
    }
  }

  // Work out how bright each firefly is; one that did not flash lately is dark.
  updateLevels(time) {
    const { history, levels } = this;
    const times = history.flashTimes.values;
    const agents = history.flashAgents.values;
    const fading = FADING * history.period;
    const end = history.flashesUpTo(time);
    levels.fill(0);
    for (let index = history.flashesUpTo(time - DARK_AFTER * history.period); index < end; index++) {
      const brightness = this.strength * Math.exp((times[index] - time) / fading);
      levels[agents[index]] = Math.round((LEVELS - 1) * brightness);
    }
  }

  layOut() {
    const { columns } = this.history;
    const spacing = columns === null ? this.placeOnRing() : this.placeOnLattice(columns);
    this.lights = new Lights(Math.min(spacing, MAX_SIZE * this.ratio));
    this.radii = Uint16Array.from({ length: LEVELS }, (_, level) => this.lights.radius(level));
    this.night = layerLike(this.canvas);
    this.paintNight(this.night.getContext("2d"));
  }

  // Return the spacing of the lights, in device pixels.
  placeOnLattice(columns) {
    const { width, height } = this.canvas;
    const rows = Math.ceil(this.history.agents / columns);
    const spacing = Math.min(width / (columns + 1), height / (rows + 1));
    for (let agent = 0; agent < this.history.agents; agent++) {
      this.x[agent] = Math.round(width / 2 + ((agent % columns) - (columns - 1) / 2) * spacing);
      this.y[agent] = Math.round(height / 2 + (Math.floor(agent / columns) - (rows - 1) / 2) * spacing);
    }
    return spacing;
  }

  // Many fireflies alternate between several lanes, so that each has room and neighbours stay close.
  placeOnRing() {
    const { width, height } = this.canvas;
    const count = this.history.agents;
    const lanes = Math.max(1, Math.round(0.16 * Math.sqrt(count)));
    const outer = 0.44 * Math.min(width, height);
    const spacing = Math.min((2 * Math.PI * outer * lanes) / count, outer / 2);
    for (let agent = 0; agent < count; agent++) {
      const angle = (2 * Math.PI * agent) / count - Math.PI / 2;
      const radius = outer - (agent % lanes) * spacing;
      this.x[agent] = Math.round(width / 2 + radius * Math.cos(angle));
      this.y[agent] = Math.round(height / 2 + radius * Math.sin(angle));
    }
    return spacing;
  }

  paintNight(context) {
    const { width, height } = this.canvas;
    const sky = context.createLinearGradient(0, 0, 0, height);
    SKY.forEach((colour, index) => sky.addColorStop(index / (SKY.length - 1), colour));
    context.fillStyle = sky;
    context.fillRect(0, 0, width, height);
    context.fillStyle = rgb(NIGHT, 1);
    for (let agent = 0; agent < this.history.agents; agent++) {
      context.beginPath();
      context.arc(this.x[agent], this.y[agent], this.lights.core, 0, 2 * Math.PI);
      context.fill();
    }
  }
}
