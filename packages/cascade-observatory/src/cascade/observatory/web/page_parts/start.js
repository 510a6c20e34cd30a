"use strict";

// --- a recording in the page is played; without one, the experiment is followed ---

function playRecording(view, recording) {
  const history = historyOf(recording);
  const player = new ReplayPlayer(history.duration);
  player.isPaused = view.reducedMotion.matches;
  view.open(history, player);
}

function followExperiment(view) {
  const feed = new Feed({
    onMetadata(metadata) {
      view.controls.problem = undefined;
      view.open(new FlashHistory(metadata), new LivePlayer((request) => feed.control(request)));
    },
    onUpdate(update) {
      view.history.extend(update.now, update.flashes, update.order, update.in_step_after);
      view.player.receive(performance.now(), update);
      view.isStale = true;
    },
    onEnd(isComplete) {
      if (!isComplete) view.controls.problem = "The connection has ended; this is what was seen until then.";
      if (view.history) view.becomeReplay();
      else setText("status", "The experiment does not answer. Reload the page to try again.");
    },
    onError(text) {
      view.controls.problem = text;
      setTimeout(() => { view.controls.problem = undefined; }, 5000);
    },
  });
}

const view = new View();
const recorded = JSON.parse(byId("recording").textContent);
if (recorded === null) followExperiment(view);
else playRecording(view, recorded);
