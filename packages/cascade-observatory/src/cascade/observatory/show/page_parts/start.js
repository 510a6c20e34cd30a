"use strict";

// --- a recording in the page is played; without one, the experiment is followed ---

function playRecording(view, recording) {
  const chronicle = chronicleOf(recording);
  const player = new Replay(chronicle.duration);
  player.isPaused = view.calm.matches;
  view.open(chronicle, player);
}

function followExperiment(view) {
  const feed = new Feed({
    begin(facts) {
      view.desk.trouble = undefined;
      view.open(new Chronicle(facts), new Following((wish) => feed.ask(wish)));
    },
    more(news) {
      view.chronicle.extend(news.now, news.flashes, news.order, news.in_step_after);
      view.player.hear(performance.now(), news);
      view.isStale = true;
    },
    end(isComplete) {
      if (!isComplete) view.desk.trouble = "The connection has ended; this is what was seen until then.";
      if (view.chronicle) view.becomeReplay();
      else say("status", "The experiment does not answer. Reload the page to try again.");
    },
    complain(text) {
      view.desk.trouble = text;
      setTimeout(() => { view.desk.trouble = undefined; }, 5000);
    },
  });
}

const view = new View();
const recorded = JSON.parse(part("recording").textContent);
if (recorded === null) followExperiment(view);
else playRecording(view, recorded);
