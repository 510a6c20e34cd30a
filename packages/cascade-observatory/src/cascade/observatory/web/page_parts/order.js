"use strict";

// --- the order parameter over time ---

const VEIL = 0.62;  // opacity of the veil over the part of the curve that is still to come

class OrderChart extends Chart {
  // The axis goes up to a time in seconds that the caller chooses, so that it seldom changes.
  draw(time, until) {
    const { history, colours, context } = this;
    const known = [history.orderTimes.length, history.inStepAfter, until, colours.ink].join();
    if (this.fit() || known !== this.known) {
      this.known = known;
      this.layer = layerLike(this.canvas);
      this.paint(this.layer.getContext("2d"), until);
    }
    this.useDevicePixels();
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.layer, 0, 0);
    this.useCssPixels();
    this.point(context, time, until);
  }

  // The curve with its axes, which change far less often than the time.
  paint(context, until) {
    const { history } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.rule(context, [[0, "0"], [0.5, "0.5"], [1, "1"]]);
    const step = roundStep(until, this.innerWidth / 70);
    for (let at = 0; at <= until * (1 + 1e-9); at += step) {
      this.label(context, [[at / until, `${numberFormat.format(at)} s`]]);
    }
    if (history.orderTimes.length) this.trace(context, until);
    if (history.inStepAfter !== null) this.markSynchrony(context, history.inStepAfter, until);
  }

  trace(context, until) {
    const times = this.history.orderTimes.values;
    const values = this.history.orderValues.values;
    const last = this.history.orderTimes.length - 1;
    const stride = 2 ** Math.max(0, Math.floor(Math.log2(last / this.innerWidth)));
    context.beginPath();
    for (let index = 0; index <= last; index += stride) {
      context.lineTo(this.x(times[index] / until), this.y(values[index]));
    }
    context.lineTo(this.x(times[last] / until), this.y(values[last]));
    context.strokeStyle = this.colours.curve;
    context.lineWidth = 1.75;
    context.lineJoin = "round";
    context.stroke();
    context.lineTo(this.x(times[last] / until), this.y(0));
    context.lineTo(this.x(times[0] / until), this.y(0));
    context.globalAlpha = 0.14;
    context.fillStyle = this.colours.curve;
    context.fill();
    context.globalAlpha = 1;
  }

  markSynchrony(context, inStepAfter, until) {
    const text = `in step after ${inStepAfter.toFixed(1)} s`;
    const x = this.x(inStepAfter / until);
    this.upright(context, inStepAfter / until, this.colours.mark, [4, 3]);
    const hasRoom = x + 6 + context.measureText(text).width <= this.x(1);
    this.write(context, text, x + (hasRoom ? 6 : -6), this.y(0.1), hasRoom ? "left" : "right", this.colours.mark);
  }

  // Where the time is now, with what is still to come behind a veil.
  point(context, time, until) {
    const { colours } = this;
    const x = this.x(Math.min(1, time / until));
    context.globalAlpha = VEIL;
    context.fillStyle = colours.panel;
    context.fillRect(x, this.y(1) - 2, this.x(1) - x, this.innerHeight + 1);
    context.globalAlpha = 1;
    const order = this.history.orderAt(time);
    if (order === null) return;
    this.upright(context, Math.min(1, time / until), colours.faint);
    context.beginPath();
    context.arc(x, this.y(order), 4, 0, 2 * Math.PI);
    context.fillStyle = colours.spark;
    context.fill();
  }
}
