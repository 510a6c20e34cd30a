"use strict";

// --- a drawing with two axes ---

const INSETS = { left: 42, right: 16, top: 10, bottom: 22 };  // pixels around the drawing, for its axes

// A round number of steps: 1, 2 or 5 times a power of ten, so that at most so many fit.
function roundStep(span, most) {
  const least = span / most;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9));
}

class Chart extends Canvas {
  constructor(canvas, history, colours) {
    super(canvas);
    this.history = history;
    this.colours = colours;
  }

  get innerWidth() { return Math.max(1, this.width - INSETS.left - INSETS.right); }

  get innerHeight() { return Math.max(1, this.height - INSETS.top - INSETS.bottom); }

  // From 0 (left) to 1 (right), and from 0 (bottom) to 1 (top), in pixels.
  x(part) { return INSETS.left + part * this.innerWidth; }

  y(part) { return INSETS.top + (1 - part) * this.innerHeight; }

  write(context, text, x, y, align, colour = this.colours.faint) {
    context.font = "12px system-ui, sans-serif";
    context.textAlign = align;
    context.textBaseline = "middle";
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  // Lines across, each with its text at the left; pairs of a part from 0 to 1 and a text.
  rule(context, marks) {
    context.lineWidth = 1;
    context.strokeStyle = this.colours.line;
    for (const [part, text] of marks) {
      const y = Math.round(this.y(part)) + 0.5;
      context.beginPath();
      context.moveTo(this.x(0), y);
      context.lineTo(this.x(1), y);
      context.stroke();
      this.write(context, text, this.x(0) - 7, y, "right");
    }
  }

  // Texts below.
  label(context, marks) {
    const y = this.height - INSETS.bottom / 2 + 2;
    for (const [part, text] of marks) this.write(context, text, this.x(part), y, "center");
  }

  upright(context, part, colour, dashes = []) {
    const x = Math.round(this.x(part)) + 0.5;
    context.lineWidth = 1;
    context.strokeStyle = colour;
    context.setLineDash(dashes);
    context.beginPath();
    context.moveTo(x, this.y(0));
    context.lineTo(x, this.y(1));
    context.stroke();
    context.setLineDash([]);
  }
}
