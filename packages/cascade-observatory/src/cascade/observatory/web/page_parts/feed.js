"use strict";

// --- a running experiment, as server-sent events from the page's own server ---

class Feed {
  // The callbacks: onMetadata(metadata), onUpdate(update), onEnd(isComplete), which says whether the
  // experiment itself ended, and onError(sentence).
  constructor({ onMetadata, onUpdate, onEnd, onError }) {
    this.onError = onError;
    const source = new EventSource("feed");
    source.addEventListener("metadata", (event) => onMetadata(JSON.parse(event.data)));
    source.addEventListener("update", (event) => {
      const update = JSON.parse(event.data);
      onUpdate(update);
      if (!update.done) return;
      source.close();
      onEnd(true);
    });
    source.addEventListener("error", () => {
      source.close();
      onEnd(false);
    });
  }

  async control(request) {
    try {
      const answer = await fetch("control", { method: "POST", body: JSON.stringify(request) });
      if (!answer.ok) this.onError(await answer.text());
    } catch {
      this.onError("The experiment does not answer.");
    }
  }
}
