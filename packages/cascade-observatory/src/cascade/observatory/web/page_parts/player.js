"use strict";

// --- which moment is shown ---

const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20];  // simulated seconds per second

// The next speed up (direction 1) or down (direction -1).
function nextSpeed(speed, direction) {
  const isUp = direction > 0;
  const others = SPEEDS.filter((each) => (isUp ? each > speed : each < speed));
  return (isUp ? others[0] : others[others.length - 1]) ?? speed;
}

// Plays a recording that is complete.
class ReplayPlayer {
  constructor(duration) {
    this.duration = duration;
    this.time = 0;
    this.isPaused = true;
    this.speed = 1;
  }

  // Milliseconds are those of the page's clock.
  tick(milliseconds) {
    const passed = Math.min(100, milliseconds - (this.last ?? milliseconds));  // a hidden page stands still
    this.last = milliseconds;
    if (this.isPaused) return;
    this.time = Math.min(this.duration, this.time + (passed / 1000) * this.speed);
    this.isPaused = this.time === this.duration;
  }

  toggle() {
    if (this.isPaused && this.time >= this.duration) this.time = 0;
    this.isPaused = !this.isPaused;
  }

  changeSpeed(direction) {
    this.speed = nextSpeed(this.speed, direction);
  }

  seek(time) {
    this.time = Math.max(0, Math.min(this.duration, time));
  }
}

const KEPT = 64;        // updates whose time of arrival is kept
const MIN_DELAY = 150;  // milliseconds behind the updates: three times the interval between them
const MAX_DELAY = 1000;
const SMOOTHING = 120;  // milliseconds in which jumps of the simulated time fade
const HIDDEN = 500;     // milliseconds without a frame: the page was hidden, and catches up at once

// Plays a running experiment. A jitter buffer: it shows updates a little after they arrive, so that it
// need not stop between them.
class LivePlayer {
  constructor(control) {
    this.control = control;
    this.time = 0;
    this.isPaused = false;
    this.speed = 1;
    this.receivedAt = new Float64Array(KEPT);
    this.simulated = new Float64Array(KEPT);
    this.count = 0;
    this.delay = MIN_DELAY;
  }

  receive(milliseconds, update) {
    const index = this.count++ % KEPT;
    this.receivedAt[index] = milliseconds;
    this.simulated[index] = update.now;
    if (this.count === 1) this.time = update.now;
    this.isPaused = update.paused;
    this.speed = update.speed;
  }

  tick(milliseconds) {
    const passed = Math.max(0, milliseconds - (this.last ?? milliseconds));
    this.last = milliseconds;
    if (this.count === 0) return;
    const wanted = Math.min(MAX_DELAY, Math.max(MIN_DELAY, 2 * this.longestGap()));
    const change = Math.max(-passed / 4, Math.min(passed / 4, wanted - this.delay));
    this.delay += change;
    const goal = this.timeAt(milliseconds - this.delay);
    const part = passed > HIDDEN ? 1 : 1 - Math.exp(-passed / SMOOTHING);
    this.time = Math.max(this.time, this.time + (goal - this.time) * part);
    if (goal - this.time < 1e-4) this.time = Math.max(this.time, goal);
  }

  // The longest time, in milliseconds, that lately passed from one update to the next.
  longestGap() {
    let longest = 0;
    for (let index = Math.max(1, this.count - KEPT + 1); index < this.count; index++) {
      longest = Math.max(longest, this.receivedAt[index % KEPT] - this.receivedAt[(index - 1) % KEPT]);
    }
    return longest;
  }

  // The simulated time at a time of the page's clock, interpolated between updates.
  timeAt(milliseconds) {
    let later = this.count - 1;
    if (milliseconds >= this.receivedAt[later % KEPT]) return this.simulated[later % KEPT];
    const oldest = Math.max(0, this.count - KEPT);
    while (later > oldest && this.receivedAt[(later - 1) % KEPT] > milliseconds) later--;
    if (later === oldest) return this.simulated[oldest % KEPT];
    const [before, after] = [(later - 1) % KEPT, later % KEPT];
    const part = (milliseconds - this.receivedAt[before]) / (this.receivedAt[after] - this.receivedAt[before]);
    return this.simulated[before] + part * (this.simulated[after] - this.simulated[before]);
  }

  toggle() {
    this.control({ paused: !this.isPaused });
  }

  changeSpeed(direction) {
    const speed = nextSpeed(this.speed, direction);
    if (speed !== this.speed) this.control({ speed });
  }
}
