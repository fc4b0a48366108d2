// Drawings of the network: the whole in layers, or a part of it around a node or along a path.
"use strict";

Report.SHAPES = {
  ligand: "diamond",
  receptor: "rectangle",
  inner: "ellipse",
  tf: "hexagon",
  covariate: "star",
};
Report.MOST_DRAWN = 40; // regulators, and targets, around a node
Report.ROWS = 10; // of them in a column

/** Position and number of every node of one side, those that matter most nearest to the middle. */
Report.columns = (nodes, side) => {
  const numColumns = Math.ceil(nodes.length / Report.ROWS);
  const places = new Map();
  nodes.forEach((node, place) => {
    const column = Math.floor(place / Report.ROWS);
    const inColumn = Math.min(Report.ROWS, nodes.length - column * Report.ROWS);
    const row = (place % Report.ROWS) - (inColumn - 1) / 2;
    const shift = numColumns > 1 ? ((column % 2) - 0.5) * 26 : 0;
    places.set(node, { x: side * (190 + 105 * column), y: row * 54 + shift });
  });
  return places;
};

Report.Graph = class {
  /** `choose(node)` and `chooseEdge(edge)` are called on a click. */
  constructor(net, choose, chooseEdge) {
    this.net = net;
    this.boxes = { whole: document.getElementById("whole"), part: document.getElementById("part") };
    this.drawn = { whole: null, part: null };
    this.choose = choose;
    this.chooseEdge = chooseEdge;
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.restyle());
  }

  style(isWhole) {
    const colour = Report.colour;
    const size = isWhole ? 20 : 30;
    const kinds = Object.entries(Report.SHAPES).map(([kind, shape]) => ({
      selector: `node.${kind}`,
      style: { shape, "background-color": colour(kind) },
    }));
    const arrows = { up: "triangle", down: "tee", open: "circle" };
    const ways = Object.entries(arrows).map(([way, arrow]) => ({
      selector: `edge.${way}`,
      style: {
        "line-color": colour(way),
        "target-arrow-color": colour(way),
        "target-arrow-shape": arrow,
        "target-arrow-fill": way === "open" ? "hollow" : "filled",
        "line-style": way === "open" ? "dashed" : "solid",
      },
    }));
    return [
      {
        selector: "node",
        style: {
          width: size,
          height: size,
          label: "data(label)",
          color: colour("text"),
          "font-size": isWhole ? 9 : 12,
          "font-family": "system-ui, sans-serif",
          "text-valign": "bottom",
          "text-margin-y": 2,
          "text-outline-color": colour("back"),
          "text-outline-width": 2,
          "min-zoomed-font-size": isWhole ? 8 : 0,
          "border-width": 1,
          "border-color": colour("quiet"),
        },
      },
      ...kinds,
      { selector: "node[fill]", style: { "background-color": "data(fill)" } },
      {
        selector: "edge",
        style: isWhole
          ? { "curve-style": "straight", width: 3, "arrow-scale": 1.5 }
          : { "curve-style": "bezier", width: "data(width)", "arrow-scale": 1.1, opacity: 0.9 },
      },
      ...ways,
      { selector: "edge.loop", style: { "loop-direction": "0deg", "loop-sweep": "50deg" } },
      {
        selector: "node.near",
        style: { "border-width": 2, "border-color": colour("text"), "z-index": 2 },
      },
      {
        selector: "node.focus",
        style: {
          "border-width": 4,
          "border-color": colour("text"),
          "font-weight": "bold",
          "min-zoomed-font-size": 0,
          "z-index": 3,
          ...(isWhole ? { width: 50, height: 50, "font-size": 50 } : {}),
        },
      },
      { selector: "edge:active, edge:selected", style: { "overlay-opacity": 0.15 } },
    ];
  }

  restyle() {
    for (const [name, drawn] of Object.entries(this.drawn)) {
      if (drawn) drawn.style(this.style(name === "whole"));
    }
    this.paint();
  }

  node(node, x, y) {
    return {
      group: "nodes",
      data: { id: `n${node}`, node, label: this.net.label[node] },
      position: { x, y },
      classes: this.net.kind(node),
    };
  }

  edge(edge, width) {
    const { source, target } = this.net;
    const loop = source[edge] === target[edge] ? " loop" : "";
    return {
      group: "edges",
      data: { id: `e${edge}`, edge, source: `n${source[edge]}`, target: `n${target[edge]}`, width },
      classes: this.net.way(edge) + loop,
    };
  }

  create(name, elements) {
    const drawn = cytoscape({
      container: this.boxes[name],
      elements,
      style: this.style(name === "whole"),
      layout: { name: "preset", fit: true, padding: 30 },
      minZoom: 0.05,
      maxZoom: 4,
      autoungrabify: true,
      boxSelectionEnabled: false,
    });
    drawn.on("tap", "node", (event) => this.choose(event.target.data("node"), name));
    drawn.on("tap", "edge", (event) => this.chooseEdge(event.target.data("edge")));
    this.drawn[name] = drawn;
    return drawn;
  }

  show(name) {
    for (const [other, box] of Object.entries(this.boxes)) box.hidden = other !== name;
    this.visible = name;
    this.drawn[name]?.resize();
  }

  /** All nodes in their layers, the neighbours of one brought out. */
  whole(focus) {
    const { net } = this;
    this.show("whole");
    if (!this.drawn.whole) {
      const nodes = net.name.map((_, node) => this.node(node, net.x[node], net.y[node]));
      this.create("whole", nodes);
      this.drawn.whole.on("render", this.backdrop());
    }
    const drawn = this.drawn.whole;
    drawn.batch(() => {
      drawn.edges().remove();
      drawn.nodes(".near, .focus").removeClass("near focus");
      if (focus === null) return;
      const edges = new Set([...net.into[focus], ...net.outOf[focus]]);
      drawn.add([...edges].map((edge) => this.edge(edge, 1)));
      const node = drawn.getElementById(`n${focus}`).addClass("focus");
      node.connectedEdges().connectedNodes().addClass("near");
    });
    this.paint();
    return focus === null
      ? "Ligands on top, transcription factors at the bottom, all else by its distance from the " +
          "ligands. Scroll to zoom, drag to move; click a node for the arrows of its interactions."
      : `Interactions of ${net.label[focus]} are brought out.`;
  }

  /**
   * All edges as lines behind the nodes: as elements of the drawing, thousands would take seconds.
   * Those of a covariate are left out: it acts on everything, which hides all else.
   */
  backdrop() {
    const { net } = this;
    const canvas = Report.element("canvas", { class: "backdrop", "aria-hidden": "true" });
    const box = this.boxes.whole;
    box.prepend(canvas);
    const bundles = []; // lines of a stroke do not add up where they cross; those of two do
    const open = {};
    this.lines = 0;
    for (let edge = 0; edge < net.source.length; edge += 1) {
      const [source, target] = [net.source[edge], net.target[edge]];
      if (net.is(source, Report.COVARIATE)) continue;
      const way = net.way(edge);
      if (!open[way] || open[way].size === 50) {
        open[way] = { way, size: 0, path: new Path2D() };
        bundles.push(open[way]);
      }
      open[way].path.moveTo(net.x[source], net.y[source]);
      open[way].path.lineTo(net.x[target], net.y[target]);
      open[way].size += 1;
      this.lines += 1;
    }
    return () => {
      const drawn = this.drawn.whole;
      const ratio = window.devicePixelRatio || 1;
      const size = [box.clientWidth, box.clientHeight].map((side) => Math.round(side * ratio));
      if (!size[0]) return;
      if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
      const context = canvas.getContext("2d");
      const [zoom, pan] = [drawn.zoom() * ratio, drawn.pan()];
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, ...size);
      context.setTransform(zoom, 0, 0, zoom, pan.x * ratio, pan.y * ratio);
      context.globalAlpha = 0.22;
      context.lineWidth = 1.2;
      const colours = { up: Report.colour("up"), down: Report.colour("down"), open: Report.colour("open") };
      for (const { way, path } of bundles) {
        context.strokeStyle = colours[way];
        context.stroke(path);
      }
    };
  }

  /** A node between its regulators (left) and targets (right); what is both stands below. */
  near(focus, condition) {
    const { net } = this;
    const size = (edge) => Math.abs(net.signal(edge, condition)) || 0;
    const strongest = (edges, end) => {
      const at = new Map();
      for (const edge of edges) if (net[end][edge] !== focus) at.set(net[end][edge], size(edge));
      return at;
    };
    const into = strongest(net.into[focus], "source");
    const outOf = strongest(net.outOf[focus], "target");
    const ranked = (map, keep) =>
      [...map.keys()].filter(keep).sort((a, b) => map.get(b) - map.get(a));
    const both = ranked(into, (node) => outOf.has(node)).slice(0, Report.MOST_DRAWN);
    const left = ranked(into, (node) => !outOf.has(node)).slice(0, Report.MOST_DRAWN);
    const right = ranked(outOf, (node) => !into.has(node)).slice(0, Report.MOST_DRAWN);
    const places = new Map([
      [focus, { x: 0, y: 0 }],
      ...Report.columns(left, -1),
      ...Report.columns(right, 1),
    ]);
    const low = Math.max(120, ...[...places.values()].map((place) => place.y + 80));
    both.forEach((node, place) => {
      const inRow = Math.min(8, both.length - Math.floor(place / 8) * 8);
      const x = ((place % 8) - (inRow - 1) / 2) * 80;
      places.set(node, { x, y: low + Math.floor(place / 8) * 60 });
    });
    const edges = [...new Set([...net.into[focus], ...net.outOf[focus]])].filter(
      (edge) => places.has(net.source[edge]) && places.has(net.target[edge]),
    );
    this.part(places, edges, condition, [focus]);
    const counted = (drawn, all, word) =>
      drawn < all ? `the ${drawn} strongest of ${all} ${word}` : `${all} ${word}`;
    const lines = [
      counted(left.length, into.size - both.length, "regulators on the left"),
      counted(right.length, outOf.size - both.length, "targets on the right"),
    ];
    if (both.length) lines.push(`${both.length} that are both below`);
    return (
      `${net.label[focus]} under ${net.conditions[condition]}: ${lines.join(", ")}. ` +
      "Width: weight times state of the source. Click a node to go there, an edge for its evidence."
    );
  }

  /** Edges from a ligand to a TF, from left to right by distance from the ligand. */
  path(edges, from, to, condition) {
    const { net } = this;
    const depth = new Map([[from, 0]]);
    const queue = [from];
    for (const node of queue) {
      for (const edge of edges) {
        const next = net.target[edge];
        if (net.source[edge] === node && !depth.has(next)) {
          depth.set(next, depth.get(node) + 1);
          queue.push(next);
        }
      }
    }
    const nodes = new Set(edges.flatMap((edge) => [net.source[edge], net.target[edge]]));
    const last = Math.max(...[...depth].filter(([node]) => node !== to).map(([, far]) => far)) + 1;
    for (const node of nodes) if (!depth.has(node)) depth.set(node, 1);
    depth.set(to, last);
    const layers = [];
    for (const [node, far] of depth) (layers[far] ??= []).push(node);
    const places = new Map();
    layers.forEach((layer, column) => {
      const shift = layers.length > 4 ? ((column % 2) - 0.5) * 24 : 0;
      layer.forEach((node, row) => {
        const aside = layer.length > 3 ? ((row % 2) - 0.5) * 44 : 0; // no edge through a node
        const y = (row - (layer.length - 1) / 2) * 66 + shift;
        places.set(node, { x: column * 135 + aside, y });
      });
    });
    this.part(places, edges, condition, [from, to]);
  }

  /** Draw some nodes and edges. */
  part(places, edges, condition, focus) {
    const { net } = this;
    const width = (edge) => 1 + 4 * Math.min(1, Math.abs(net.signal(edge, condition)) || 0);
    const nodes = [...places].map(([node, { x, y }]) => this.node(node, x, y));
    this.show("part");
    this.drawn.part?.destroy();
    const drawn = this.create("part", [...nodes, ...edges.map((edge) => this.edge(edge, width(edge)))]);
    for (const node of focus) drawn.getElementById(`n${node}`).addClass("focus");
    if (drawn.zoom() > 1.3) {
      drawn.zoom(1.3);
      drawn.center();
    }
    this.paint();
  }

  /** Numbers of the nodes that are drawn. */
  nodes() {
    return this.drawn[this.visible].nodes().map((node) => node.data("node"));
  }

  /** Give nodes the colours of a function of their number; null for those of their roles. */
  paint(fill = this.fill ?? null) {
    this.fill = fill;
    const drawn = this.drawn[this.visible];
    if (!drawn) return;
    drawn.batch(() => {
      drawn.nodes().forEach((node) => {
        const colour = fill ? fill(node.data("node")) : null;
        if (colour) node.data("fill", colour);
        else node.removeData("fill");
      });
    });
  }
};
