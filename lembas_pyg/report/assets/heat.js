// Measured and predicted TF activities side by side, on a canvas.
"use strict";

Report.VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c"];
Report.VIRIDIS.push("#28ae80", "#5ec962", "#addc30", "#fde725");

/** Colour between those of a list, of a share from 0 to 1. */
Report.blend = (colours, share) => {
  if (!Number.isFinite(share)) return null;
  const place = Math.min(1, Math.max(0, share)) * (colours.length - 1);
  const first = Math.min(colours.length - 2, Math.floor(place));
  const parts = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  const [a, b] = [parts(colours[first]), parts(colours[first + 1])];
  const mixed = a.map((value, i) => Math.round(value + (b[i] - value) * (place - first)));
  return `rgb(${mixed.join(",")})`;
};

Report.drawHeat = (net, open) => {
  const box = document.getElementById("heat");
  const { heat, measured, predicted } = net;
  if (!box || !heat) return;
  const [numRows, numColumns] = [heat.rows.length, heat.columns.length];
  const words = Report.element("p", { id: "heat-text" }, "\u00a0");
  const canvas = Report.element("canvas", {
    role: "img",
    "aria-label": "Heat map of measured and predicted TF activities",
  });
  box.replaceChildren(canvas);
  box.after(words);
  const [least, most, height] = [8, 26, 12]; // pixels of a cell
  let panels = []; // {title, values, x, y}: measured and predicted, and their upper left corners
  let width = least;

  const draw = () => {
    const context = canvas.getContext("2d");
    const font = (size) => `${size}px system-ui, sans-serif`;
    const text = (words, x, y, align = "left") => {
      context.textAlign = align;
      context.fillText(words, x, y);
    };
    context.font = font(10);
    const longest = (names) => Math.max(...names.map((name) => context.measureText(name).width));
    const [left, top] = [Math.ceil(longest(heat.rows)) + 8, Math.ceil(longest(heat.columns)) + 28];
    const room = (box.clientWidth || 900) - left - 20;
    const beside = room >= 2 * numColumns * least; // or else one below the other
    width = Math.max(least, Math.min(most, Math.floor(room / (beside ? 2 : 1) / numColumns)));
    const [wide, high] = [width * numColumns, height * numRows];
    panels = [
      { title: "measured", values: measured, x: left, y: top },
      beside
        ? { title: "predicted", values: predicted, x: left + wide + 16, y: top }
        : { title: "predicted", values: predicted, x: left, y: 2 * top + high + 10 },
    ];
    const low = panels[1].y + high + 14;
    const whole = [panels[1].x + wide + 4, low + 30];
    const ratio = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = whole.map((size) => Math.round(size * ratio));
    [canvas.style.width, canvas.style.height] = whole.map((size) => `${size}px`);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.textBaseline = "middle";
    for (const { title, values, x, y } of panels) {
      context.fillStyle = Report.colour("text");
      context.font = `bold ${font(13)}`;
      text(title, x, y - top + 9);
      context.font = font(10);
      if (x === left) {
        heat.rows.forEach((name, row) => text(name, left - 5, y + (row + 0.5) * height, "right"));
      }
      context.font = font(Math.min(10, width));
      heat.columns.forEach((name, column) => {
        context.save();
        context.translate(x + (column + 0.5) * width, y - 5);
        context.rotate(-Math.PI / 2);
        text(name, 0, 0);
        context.restore();
      });
      for (let place = 0; place < numRows * numColumns; place += 1) {
        const [row, column] = [Math.floor(place / numColumns), place % numColumns];
        const colour = Report.blend(Report.VIRIDIS, values.at(place));
        context.fillStyle = colour ?? Report.colour("line");
        context.fillRect(x + column * width, y + row * height, width, height);
      }
    }
    for (let i = 0; i < 120; i += 1) {
      context.fillStyle = Report.blend(Report.VIRIDIS, i / 119);
      context.fillRect(left + i, low, 1.5, 10);
    }
    context.fillStyle = Report.colour("text");
    context.font = font(10);
    text("0", left, low + 19);
    text("1", left + 120, low + 19, "right");
    text("activity (fraction of maximum); grey: not known", left + 128, low + 5);
  };

  const cellAt = (event) => {
    for (const { x, y } of panels) {
      const column = Math.floor((event.offsetX - x) / width);
      const row = Math.floor((event.offsetY - y) / height);
      if (column >= 0 && column < numColumns && row >= 0 && row < numRows) return [row, column];
    }
    return null;
  };

  canvas.addEventListener("mousemove", (event) => {
    const cell = cellAt(event);
    if (!cell) return;
    const place = cell[0] * numColumns + cell[1];
    words.textContent =
      `${heat.columns[cell[1]]} under ${heat.rows[cell[0]]}: measured ` +
      `${Report.number(measured.at(place))}, predicted ${Report.number(predicted.at(place))}`;
  });
  canvas.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (cell) open(heat.tfs[cell[1]], heat.conditions[cell[0]]);
  });
  window.addEventListener("resize", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
};
