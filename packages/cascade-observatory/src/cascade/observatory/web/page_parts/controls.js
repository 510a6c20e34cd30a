"use strict";

// --- buttons, keys and numbers: what people press, and what they read ---

const byId = (id) => document.getElementById(id);

// Change a text only if it is another one, which spares the layout and screen readers.
function setText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function seconds(time) {
  return `${time.toFixed(1)} s`;
}

class Controls {
  constructor(view) {
    this.view = view;
    this.slider = byId("slider");
    byId("play").addEventListener("click", () => view.player.toggle());
    byId("slower").addEventListener("click", () => view.player.changeSpeed(-1));
    byId("faster").addEventListener("click", () => view.player.changeSpeed(1));
    byId("theme").addEventListener("click", () => view.switchColours());
    byId("as-raster").addEventListener("click", () => this.setHistogram(false));
    byId("as-histogram").addEventListener("click", () => this.setHistogram(true));
    this.slider.addEventListener("input", () => view.player.seek(Number(this.slider.value)));
    document.addEventListener("keydown", (event) => this.press(event));
  }

  showMetadata(history, isLive) {
    setText("title", history.title);
    document.title = history.title;
    setText("agents", numberFormat.format(history.agents));
    const list = byId("parameters");
    list.replaceChildren();
    for (const [name, text] of Object.entries(history.parameters)) {
      const row = document.createElement("div");
      row.append(document.createElement("dt"), document.createElement("dd"));
      row.firstChild.textContent = name;
      row.lastChild.textContent = text;
      list.append(row);
    }
    this.setMode(isLive);
  }

  setMode(isLive) {
    setText("mode", isLive ? "live" : "replay");
    byId("mode").classList.toggle("live", isLive);
    byId("seek").hidden = isLive;
    for (const element of document.querySelectorAll(".replay-only")) element.hidden = isLive;
    this.slider.max = this.view.history.duration;
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
    const { player, history } = this.view;
    if (!player.seek) return undefined;
    const far = 5 * history.period;
    const near = shiftKey ? far : history.period / 4;
    const by = (change) => () => player.seek(player.time + change);
    const anywhere = {
      ArrowLeft: by(-near),
      ArrowRight: by(near),
      Home: () => player.seek(0),
      End: () => player.seek(history.duration),
    };
    const onSlider = { ArrowDown: by(-near), ArrowUp: by(near), PageDown: by(-far), PageUp: by(far) };
    return anywhere[key] ?? (target === this.slider ? onSlider[key] : undefined);
  }

  setHistogram(asHistogram) {
    this.view.raster.asHistogram = asHistogram;
    byId("as-raster").setAttribute("aria-pressed", String(!asHistogram));
    byId("as-histogram").setAttribute("aria-pressed", String(asHistogram));
    this.view.isStale = true;
  }

  // --- what people read ---

  show({ history, player }) {
    const { time } = player;
    const order = history.orderAt(time);
    setText("time", seconds(time));
    setText("flashes", numberFormat.format(history.flashesUpTo(time)));
    setText("order-now", order === null ? "…" : order.toFixed(3));
    setText("speed", `${Number(player.speed.toFixed(2))}×`);
    const play = byId("play");
    play.classList.toggle("playing", !player.isPaused);
    play.setAttribute("aria-label", player.isPaused ? "Play" : "Pause");
    byId("slower").disabled = nextSpeed(player.speed, -1) === player.speed;
    byId("faster").disabled = nextSpeed(player.speed, 1) === player.speed;
    setText("status", this.problem ?? this.state(history, player));
    byId("status").classList.toggle("found", !this.problem && history.isInStepAt(time));
    if (player.seek) this.showPosition(time);
    else setText("clock", player.isPaused ? "paused" : "");
  }

  state(history, player) {
    const { time } = player;
    if (history.isInStepAt(time)) return `In step after ${seconds(history.inStepAfter)}`;
    if (player.seek && time >= history.duration) return `Not in step after ${seconds(time)}`;
    return time > 0 ? "Listening to each other …" : "Nobody conducts.";
  }

  showPosition(time) {
    this.slider.value = time;
    const text = seconds(time);
    if (this.slider.ariaValueText !== text) this.slider.ariaValueText = text;
    setText("clock", `${time.toFixed(1)} of ${seconds(this.view.history.duration)}`);
  }
}
