"use strict";

// --- a running experiment, at the place that the page came from ---

class Feed {
  // The four are called with the facts, with each piece of news, at the end of all news with
  // whether it came from the experiment itself, and with a sentence about what went wrong.
  constructor({ begin, more, end, complain }) {
    this.complain = complain;
    const source = new EventSource("feed");
    source.addEventListener("recording", (event) => begin(JSON.parse(event.data)));
    source.addEventListener("more", (event) => {
      const news = JSON.parse(event.data);
      more(news);
      if (!news.done) return;
      source.close();
      end(true);
    });
    source.addEventListener("error", () => {
      source.close();
      end(false);
    });
  }

  async ask(wish) {
    try {
      const answer = await fetch("control", { method: "POST", body: JSON.stringify(wish) });
      if (!answer.ok) this.complain(await answer.text());
    } catch {
      this.complain("The experiment does not answer.");
    }
  }
}
