// Numbers of the page: read back what packing.py wrote.
"use strict";

const Report = {};

/** Rounded numbers; what the type's smallest number stands for is not known (NaN). */
Report.Numbers = class {
  constructor(raw, step, lowest) {
    this.raw = raw;
    this.step = step;
    this.lowest = lowest;
    this.length = raw.length;
  }

  at(place) {
    const value = this.raw[place];
    return value === this.lowest ? NaN : value * this.step;
  }
};

Report.TYPES = {
  int8: [Int8Array, -128],
  int16: [Int16Array, -32768],
  int32: [Int32Array, -2147483648],
};

/** Bytes of compressed text. */
Report.bytes = async (text) => {
  const letters = atob(text);
  const packed = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) packed[i] = letters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
};

/** Numbers or text of a parcel; null where there is none. */
Report.unpack = async (parcel) => {
  if (!parcel) return null;
  const buffer = await Report.bytes(parcel.data);
  if (parcel.type === "json") return JSON.parse(new TextDecoder().decode(buffer));
  const [Kind, lowest] = Report.TYPES[parcel.type];
  return new Report.Numbers(new Kind(buffer), parcel.step, lowest);
};

/** A number with so many digits after the point, and a real minus. */
Report.number = (value, digits = 3) =>
  Number.isFinite(value)
    ? value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "\u2212")
    : "\u2013";

/** The same with its sign, also where it is positive. */
Report.signed = (value, digits = 3) =>
  (value > 0 ? "+" : "") + Report.number(value, digits);

/** An element with attributes and children; text is text, never HTML. */
Report.element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};

/** A colour of the style sheet, which differs in light and dark. */
Report.colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
