"use strict";

// --- a canvas as large as it is shown, in device pixels ---

class Canvas {
  constructor(canvas, settings) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", settings);
    this.ratio = 0;
    this.isStale = true;
    new ResizeObserver(() => { this.isStale = true; }).observe(canvas);
  }

  // Resize to the size at which the canvas is shown; return whether that has changed.
  fit() {
    const ratio = window.devicePixelRatio || 1;
    if (!this.isStale && ratio === this.ratio) return false;
    this.isStale = false;
    this.ratio = ratio;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    return true;
  }

  get width() { return this.canvas.width / this.ratio; }

  get height() { return this.canvas.height / this.ratio; }

  // Draw in CSS pixels.
  useCssPixels() {
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
  }

  // Draw in device pixels.
  useDevicePixels() {
    this.context.setTransform(1, 0, 0, 1, 0, 0);
  }
}

function layerLike(canvas) {
  const layer = document.createElement("canvas");
  layer.width = canvas.width;
  layer.height = canvas.height;
  return layer;
}

// --- the page's colours, for what is drawn ---

class Colours {
  constructor() {
    this.probe = document.createElement("span");
    this.probe.hidden = true;
    document.body.append(this.probe);
    this.read();
  }

  read() {
    for (const name of ["ink", "faint", "line", "panel", "curve", "spark", "mark"]) {
      this.probe.style.color = `var(--${name})`;
      this[name] = getComputedStyle(this.probe).color;
    }
  }
}

const numberFormat = new Intl.NumberFormat("en");
