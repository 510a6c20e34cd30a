"use strict";

// --- all together: one moment of one history, drawn again whenever it changes ---

class View {
  constructor() {
    this.colours = new Colours();
    this.controls = new Controls(this);
    this.isStale = true;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.readColours());
    this.isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
    this.reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
    this.reducedMotion.addEventListener("change", () => this.applyReducedMotion());
    requestAnimationFrame((milliseconds) => this.frame(milliseconds));
  }

  // Show another history from now on, with a player that is made for it.
  open(history, player) {
    this.history = history;
    this.player = player;
    this.lattice = new Lattice(byId("lattice"), history);
    this.order = new OrderChart(byId("order"), history, this.colours);
    this.raster = new RasterChart(byId("raster"), history, this.colours);
    this.applyReducedMotion();
    this.controls.showMetadata(history, !player.seek);
    this.isStale = true;
  }

  // Go on as a replay from here, when no more updates come.
  becomeReplay() {
    const before = this.player;
    this.player = new ReplayPlayer(this.history.duration);
    this.player.seek(before.time);
    this.player.speed = before.speed;
    this.player.isPaused = false;
    this.controls.setMode(false);
    this.isStale = true;
  }

  // Lights that only glow, without the flash, for those who want less motion.
  applyReducedMotion() {
    if (!this.lattice) return;
    this.lattice.strength = this.reducedMotion.matches ? 0.5 : 1;
    this.isStale = true;
  }

  switchColours() {
    document.documentElement.dataset.theme = this.isDark() ? "light" : "dark";
    this.readColours();
  }

  readColours() {
    this.colours.read();
    this.isStale = true;
  }

  frame(milliseconds) {
    requestAnimationFrame((next) => this.frame(next));
    if (!this.player) return;
    const { player } = this;
    const before = player.time;
    player.tick(milliseconds);
    const canvases = [this.lattice, this.order, this.raster];
    const hasNewShape = canvases.some((each) => each.isStale || each.ratio !== window.devicePixelRatio);
    if (player.time !== before || player.time !== this.shown || this.isStale || hasNewShape) this.draw();
    this.controls.show(this);
  }

  draw() {
    const { time } = this.player;
    this.shown = time;
    this.isStale = false;
    this.lattice.draw(time);
    this.order.draw(time, this.timeAxisEnd());
    this.raster.draw(time);
  }

  // Seconds on the axis of time: all of a replay, else more than there is, so that it seldom changes.
  timeAxisEnd() {
    const { duration, period } = this.history;
    if (this.player.seek) return Math.max(duration, 1e-9);
    const step = roundStep(Math.max(duration, 10 * period), 4);
    return step * Math.ceil(Math.max(duration, 10 * period) / step);
  }
}
