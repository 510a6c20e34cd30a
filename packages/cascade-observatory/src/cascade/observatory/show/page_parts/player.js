"use strict";

// --- which moment is shown ---

const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20];  // simulated seconds per second

// The next speed up (way 1) or down (way -1).
function nextSpeed(speed, way) {
  const others = way > 0 ? SPEEDS.filter((each) => each > speed) : SPEEDS.filter((each) => each < speed);
  return way > 0 ? others[0] ?? speed : others[others.length - 1] ?? speed;
}

// Plays what is all there.
class Replay {
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

  changeSpeed(way) {
    this.speed = nextSpeed(this.speed, way);
  }

  seek(time) {
    this.time = Math.max(0, Math.min(this.duration, time));
  }
}

const HEARD = 64;            // pieces of news that are kept
const LEAST_DELAY = 150;     // milliseconds behind the news: three times what lies between them
const MOST_DELAY = 1000;
const SMOOTHING = 120;       // milliseconds in which unevenness of the news fades
const ASLEEP = 500;          // milliseconds after which a page was hidden, and has to catch up

// Follows the news a little later than they come, so that it need not stop between them.
class Following {
  constructor(ask) {
    this.ask = ask;
    this.time = 0;
    this.isPaused = false;
    this.speed = 1;
    this.heardAt = new Float64Array(HEARD);
    this.heard = new Float64Array(HEARD);
    this.count = 0;
    this.delay = LEAST_DELAY;
  }

  hear(milliseconds, more) {
    const index = this.count++ % HEARD;
    this.heardAt[index] = milliseconds;
    this.heard[index] = more.now;
    if (this.count === 1) this.time = more.now;
    this.isPaused = more.paused;
    this.speed = more.speed;
  }

  tick(milliseconds) {
    const passed = Math.max(0, milliseconds - (this.last ?? milliseconds));
    this.last = milliseconds;
    if (this.count === 0) return;
    const wanted = Math.min(MOST_DELAY, Math.max(LEAST_DELAY, 2 * this.longestWait()));
    const change = Math.max(-passed / 4, Math.min(passed / 4, wanted - this.delay));
    this.delay += change;
    const goal = this.timeAt(milliseconds - this.delay);
    const part = passed > ASLEEP ? 1 : 1 - Math.exp(-passed / SMOOTHING);
    this.time = Math.max(this.time, this.time + (goal - this.time) * part);
    if (goal - this.time < 1e-4) this.time = Math.max(this.time, goal);
  }

  // The longest time, in milliseconds, that lately passed from one piece of news to the next.
  longestWait() {
    let longest = 0;
    for (let index = Math.max(1, this.count - HEARD + 1); index < this.count; index++) {
      longest = Math.max(longest, this.heardAt[index % HEARD] - this.heardAt[(index - 1) % HEARD]);
    }
    return longest;
  }

  // The simulated time at a time of the page's clock, between the news.
  timeAt(milliseconds) {
    let later = this.count - 1;
    if (milliseconds >= this.heardAt[later % HEARD]) return this.heard[later % HEARD];
    const oldest = Math.max(0, this.count - HEARD);
    while (later > oldest && this.heardAt[(later - 1) % HEARD] > milliseconds) later--;
    if (later === oldest) return this.heard[oldest % HEARD];
    const [before, after] = [(later - 1) % HEARD, later % HEARD];
    const part = (milliseconds - this.heardAt[before]) / (this.heardAt[after] - this.heardAt[before]);
    return this.heard[before] + part * (this.heard[after] - this.heard[before]);
  }

  toggle() {
    this.ask({ paused: !this.isPaused });
  }

  changeSpeed(way) {
    const speed = nextSpeed(this.speed, way);
    if (speed !== this.speed) this.ask({ speed });
  }
}
