"use strict";

// --- buttons, keys and numbers: what people press, and what they read ---

const part = (id) => document.getElementById(id);

// Change a text only if it is another one, which spares the layout and screen readers.
function say(id, text) {
  const element = part(id);
  if (element.textContent !== text) element.textContent = text;
}

function seconds(time) {
  return `${time.toFixed(1)} s`;
}

class Desk {
  constructor(view) {
    this.view = view;
    this.slider = part("slider");
    this.wait = 0;
    part("play").addEventListener("click", () => view.player.toggle());
    part("slower").addEventListener("click", () => view.player.changeSpeed(-1));
    part("faster").addEventListener("click", () => view.player.changeSpeed(1));
    part("theme").addEventListener("click", () => view.switchColours());
    part("as-raster").addEventListener("click", () => this.showAs(false));
    part("as-histogram").addEventListener("click", () => this.showAs(true));
    this.slider.addEventListener("input", () => view.player.seek(Number(this.slider.value)));
    document.addEventListener("keydown", (event) => this.press(event));
  }

  introduce(chronicle, isLive) {
    say("title", chronicle.title);
    document.title = chronicle.title;
    say("agents", counted.format(chronicle.agents));
    const list = part("parameters");
    list.replaceChildren();
    for (const [name, text] of Object.entries(chronicle.parameters)) {
      const row = document.createElement("div");
      row.append(document.createElement("dt"), document.createElement("dd"));
      row.firstChild.textContent = name;
      row.lastChild.textContent = text;
      list.append(row);
    }
    this.setMode(isLive);
  }

  setMode(isLive) {
    say("mode", isLive ? "live" : "replay");
    part("mode").classList.toggle("live", isLive);
    part("seek").hidden = isLive;
    for (const element of document.querySelectorAll(".replay-only")) element.hidden = isLive;
    this.slider.max = this.view.chronicle.duration;
  }

  // --- what people press ---

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.view.player) return;
    const isOnButton = event.target instanceof HTMLButtonElement;
    if (event.key === " " && isOnButton) return;  // the browser presses it
    const { player } = this.view;
    const action = {
      " ": () => player.toggle(),
      "+": () => player.changeSpeed(1),
      "=": () => player.changeSpeed(1),
      "-": () => player.changeSpeed(-1),
      "−": () => player.changeSpeed(-1),
    }[event.key] ?? this.move(event);
    if (!action) return;
    event.preventDefault();
    if (event.key !== " " || !event.repeat) action();
  }

  // The action of a key that moves through time; pages and lines only on the slider, elsewhere they scroll.
  move({ key, shiftKey, target }) {
    const { player, chronicle } = this.view;
    if (!player.seek) return undefined;
    const far = 5 * chronicle.period;
    const near = shiftKey ? far : chronicle.period / 4;
    const by = (change) => () => player.seek(player.time + change);
    const anywhere = {
      ArrowLeft: by(-near),
      ArrowRight: by(near),
      Home: () => player.seek(0),
      End: () => player.seek(chronicle.duration),
    };
    const onSlider = { ArrowDown: by(-near), ArrowUp: by(near), PageDown: by(-far), PageUp: by(far) };
    return anywhere[key] ?? (target === this.slider ? onSlider[key] : undefined);
  }

  showAs(asHistogram) {
    this.view.recent.asHistogram = asHistogram;
    part("as-raster").setAttribute("aria-pressed", String(!asHistogram));
    part("as-histogram").setAttribute("aria-pressed", String(asHistogram));
    this.view.isStale = true;
  }

  // --- what people read ---

  show({ chronicle, player }) {
    const { time } = player;
    const order = chronicle.orderAt(time);
    say("time", seconds(time));
    say("flashes", counted.format(chronicle.flashesUpTo(time)));
    say("order-now", order === null ? "…" : order.toFixed(3));
    say("speed", `${Number(player.speed.toFixed(2))}×`);
    const play = part("play");
    play.classList.toggle("playing", !player.isPaused);
    play.setAttribute("aria-label", player.isPaused ? "Play" : "Pause");
    part("slower").disabled = nextSpeed(player.speed, -1) === player.speed;
    part("faster").disabled = nextSpeed(player.speed, 1) === player.speed;
    say("status", this.trouble ?? this.state(chronicle, player));
    part("status").classList.toggle("found", !this.trouble && chronicle.isInStepAt(time));
    if (player.seek) this.showPlace(time);
    else say("clock", player.isPaused ? "paused" : "");
  }

  state(chronicle, player) {
    const { time } = player;
    if (chronicle.isInStepAt(time)) return `In step after ${seconds(chronicle.inStepAfter)}`;
    if (player.seek && time >= chronicle.duration) return `Not in step after ${seconds(time)}`;
    return time > 0 ? "Listening to each other …" : "Nobody conducts.";
  }

  showPlace(time) {
    this.slider.value = time;
    const text = seconds(time);
    if (this.slider.ariaValueText !== text) this.slider.ariaValueText = text;
    say("clock", `${time.toFixed(1)} of ${seconds(this.view.chronicle.duration)}`);
  }
}
