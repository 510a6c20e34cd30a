"use strict";

// --- all together: one moment of one chronicle, drawn again whenever it changes ---

class View {
  constructor() {
    this.colours = new Colours();
    this.desk = new Desk(this);
    this.isStale = true;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.readColours());
    this.isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.calm.addEventListener("change", () => this.calmDown());
    requestAnimationFrame((milliseconds) => this.frame(milliseconds));
  }

  // Show another chronicle from now on, with a player that is made for it.
  open(chronicle, player) {
    this.chronicle = chronicle;
    this.player = player;
    this.field = new Field(part("field"), chronicle);
    this.order = new OrderChart(part("order"), chronicle, this.colours);
    this.recent = new RecentChart(part("recent"), chronicle, this.colours);
    this.calmDown();
    this.desk.introduce(chronicle, !player.seek);
    this.isStale = true;
  }

  // Play on by oneself from here, when no more news come.
  becomeReplay() {
    const before = this.player;
    this.player = new Replay(this.chronicle.duration);
    this.player.seek(before.time);
    this.player.speed = before.speed;
    this.player.isPaused = false;
    this.desk.setMode(false);
    this.isStale = true;
  }

  // Lights that only glow, without the flash, for those who want less motion.
  calmDown() {
    if (!this.field) return;
    this.field.strength = this.calm.matches ? 0.5 : 1;
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
    const surfaces = [this.field, this.order, this.recent];
    const hasNewShape = surfaces.some((each) => each.isStale || each.ratio !== window.devicePixelRatio);
    if (player.time !== before || player.time !== this.shown || this.isStale || hasNewShape) this.draw();
    this.desk.show(this);
  }

  draw() {
    const { time } = this.player;
    this.shown = time;
    this.isStale = false;
    this.field.draw(time);
    this.order.draw(time, this.reach());
    this.recent.draw(time);
  }

  // Seconds on the axis of time: all of a replay, else more than there is, so that it rests for a while.
  reach() {
    const { duration, period } = this.chronicle;
    if (this.player.seek) return Math.max(duration, 1e-9);
    const step = roundStep(Math.max(duration, 10 * period), 4);
    return step * Math.ceil(Math.max(duration, 10 * period) / step);
  }
}
