// What the page shows, and how a click changes it.
"use strict";

Report.Page = class {
  constructor(net) {
    this.net = net;
    this.at = { view: "whole", node: null, condition: 0, colour: "role", path: null };
    this.graph = new Report.Graph(
      net,
      (node, drawing) => this.choose(node, drawing === "whole" ? "whole" : "near"),
      (edge) => this.chooseEdge(edge),
    );
    this.details = new Report.Details(net, this);
    this.fillIn();
  }

  element(id) {
    return document.getElementById(id);
  }

  /** Options of the lists, and what happens when one is chosen. */
  fillIn() {
    const { net } = this;
    const options = (id, entries) => {
      const made = entries.map(([value, text]) => Report.element("option", { value }, text));
      this.element(id).replaceChildren(...made);
    };
    const named = (nodes) =>
      nodes
        .map((node) => [node, net.label[node]])
        .sort((a, b) => a[1].localeCompare(b[1]));
    const knocked = net.content.knockOuts?.conditions ?? [];
    options("condition", net.conditions.map((name, place) => [place, name]));
    this.at.condition = knocked[0] ?? 0;
    this.element("condition").value = this.at.condition;
    options("from", named([...net.name.keys()].filter((node) => net.is(node, Report.LIGAND))));
    options("to", named(net.tfs));
    const paths = net.content.paths ?? [];
    if (paths.length) {
      const texts = paths.map((path, place) => [
        place,
        `${net.label[path.ligand]} \u2192 ${net.label[path.tf]}, ${net.conditions[path.condition]}`,
      ]);
      texts.sort((a, b) => a[1].localeCompare(b[1]));
      options("explained", [["", "choose\u2026"], ...texts]);
      this.element("explained-paths").hidden = false;
    }
    if (!knocked.length) this.element("colour").querySelector("[value=effect]").remove();
    const hasCovariate = net.role.some((_, node) => net.is(node, Report.COVARIATE));
    this.element("covariate-key").hidden = !hasCovariate;
    this.listen();
  }

  listen() {
    const on = (id, type, run) => this.element(id).addEventListener(type, run);
    on("condition", "change", (event) => this.go({ condition: Number(event.target.value) }));
    on("colour", "change", (event) => this.go({ colour: event.target.value }));
    on("chain", "click", () => {
      const [from, to] = ["from", "to"].map((id) => Number(this.element(id).value));
      this.go({ view: "path", node: null, path: { ligand: from, tf: to, edges: null } });
    });
    on("explained", "change", (event) => {
      if (event.target.value === "") return;
      const path = this.net.content.paths[Number(event.target.value)];
      this.element("from").value = path.ligand;
      this.element("to").value = path.tf;
      this.element("condition").value = path.condition;
      this.go({ view: "path", node: null, condition: path.condition, path });
    });
    for (const button of document.querySelectorAll("[data-view]")) {
      button.addEventListener("click", () => this.go({ view: button.dataset.view }));
    }
    Report.search(this.net, (node) => this.choose(node, "near"));
  }

  choose(node, view = this.at.view === "whole" ? "whole" : "near") {
    return this.go({ node, view });
  }

  chooseEdge(edge) {
    return this.details.put(this.details.edge(edge, this.at.condition));
  }

  /** Draw what has changed. */
  async go(changes) {
    const { at, net, graph, details } = this;
    Object.assign(at, changes);
    let caption;
    if (at.view === "near" && at.node !== null) caption = graph.near(at.node, at.condition);
    else if (at.view === "path" && at.path) caption = this.drawPath();
    else {
      at.view = "whole";
      caption = graph.whole(at.node);
    }
    this.element("caption").textContent = caption;
    for (const button of document.querySelectorAll("[data-view]")) {
      const { view } = button.dataset;
      button.setAttribute("aria-pressed", String(view === at.view));
      button.disabled = (view === "near" && at.node === null) || (view === "path" && !at.path);
    }
    let panel;
    if (at.view === "path") panel = details.path(this.edges, at.path, at.condition);
    else if (at.node === null) panel = details.condition(at.condition);
    else panel = details.node(at.node, at.condition);
    await Promise.all([this.paint(), details.put(panel)]);
  }

  /** The chain or explained path that was asked for; what to say of it. */
  drawPath() {
    const { at, net, graph } = this;
    const { ligand, tf } = at.path;
    const under = net.conditions[at.condition];
    const explained = at.path.edges && at.path.condition === at.condition ? at.path : null;
    const edges = explained?.edges ?? net.chain(ligand, tf, at.condition);
    this.edges = edges ?? [];
    if (!explained) this.element("explained").value = "";
    const ends = `${net.label[ligand]} to ${net.label[tf]} under ${under}`;
    if (!edges) {
      graph.part(new Map([[ligand, { x: 0, y: 0 }], [tf, { x: 300, y: 0 }]]), [], at.condition, [
        ligand,
        tf,
      ]);
      return `No chain leads from ${ends}: nothing is passed on, or there is no way.`;
    }
    graph.path(edges, ligand, tf, at.condition);
    if (!explained) {
      const product = edges.reduce((gain, edge) => gain * net.gain(edge, at.condition), 1);
      const present = net.content.stimuli[at.condition].some(([node]) => node === ligand);
      return (
        `Strongest chain from ${ends}${present ? "" : ", where it is absent"}: ${edges.length} ` +
        `interactions, which pass on ${product.toPrecision(2)} of a small change. One of many ` +
        "ways; an explained path tells what all of them carry."
      );
    }
    const percent = (share) => (share === null ? "an unknown share" : `${Math.round(100 * share)} %`);
    return (
      `${ends}: an effect of ${Report.signed(explained.effect)}. These ${edges.length} ` +
      `interactions bring about ${percent(explained.kept)} of it; without their response ` +
      `${percent(explained.lost)} is lost, without them ${percent(explained.deleted)}.`
    );
  }

  /** Colours of the nodes, and the scale that tells what they mean. */
  async paint() {
    const { at, net, graph } = this;
    const scale = this.element("scale");
    scale.hidden = at.colour === "role";
    if (at.colour === "role") return graph.paint(null);
    if (at.colour === "state") {
      this.scale("0", Report.VIRIDIS, "1", "state (fraction of saturation)");
      return graph.paint((node) => Report.blend(Report.VIRIDIS, net.stateOf(node, at.condition)));
    }
    const knocked = await net.knockOuts(at.condition);
    if (!knocked || at.node === null) {
      scale.replaceChildren(
        knocked
          ? "Choose a node: TFs get the colour of its knock-out, and if it is a TF, all nodes " +
              "that of their own knock-out's effect on it."
          : "Knock-outs were not computed under this condition.",
      );
      return graph.paint(null);
    }
    return this.paintEffects(knocked);
  }

  paintEffects(knocked) {
    const { at, net, graph } = this;
    const size = net.tfs.length;
    const own = net.place.get(at.node);
    const effect = (node) => {
      if (own !== undefined) return knocked.delta.at(node * size + own);
      return net.place.has(node) ? knocked.delta.at(at.node * size + net.place.get(node)) : NaN;
    };
    let largest = net.content.knockOuts.smallest;
    for (const node of graph.nodes()) {
      const value = Math.abs(effect(node));
      if (value > largest && node !== at.node) largest = value;
    }
    const colours = ["#d55e00", Report.colour("middle"), "#0072b2"];
    const what =
      own === undefined
        ? `change of TFs when ${net.label[at.node]} is knocked out`
        : `change of ${net.label[at.node]} when a node is knocked out`;
    this.scale(Report.number(-largest, 2), colours, Report.signed(largest, 2), what);
    graph.paint((node) => {
      const value = effect(node);
      const share = Number.isNaN(value) ? 0.5 : 0.5 + value / largest / 2;
      return Report.blend(colours, share);
    });
  }

  scale(low, colours, high, text) {
    const bar = Report.element("span", { class: "bar" });
    bar.style.background = `linear-gradient(to right, ${colours.join(", ")})`;
    const words = [high, text].map((word) => Report.element("span", {}, word));
    this.element("scale").replaceChildren(low, bar, ...words);
  }
};

/** The field to find a node in: arrow keys, Enter, Escape, or the mouse. */
Report.search = (net, choose) => {
  const field = document.getElementById("search");
  const list = document.getElementById("found");
  let found = [];
  let marked = 0;
  const close = () => {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
  };
  const take = (node) => {
    close();
    field.value = net.label[node];
    choose(node);
  };
  const show = () => {
    found = net.find(field.value);
    marked = 0;
    const items = found.map((node, place) => {
      const label = Report.element("span", {}, net.label[node]);
      const more = Report.element("small", {}, ` ${net.name[node]}, ${net.roles(node).join(", ")}`);
      const attributes = { role: "option", "aria-selected": String(place === 0) };
      return Report.element("li", { ...attributes, onclick: () => take(node) }, label, more);
    });
    if (!items.length && field.value.trim()) {
      items.push(Report.element("li", { "aria-disabled": "true" }, "No such node."));
    }
    list.replaceChildren(...items);
    list.hidden = !items.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
  };
  field.addEventListener("input", show);
  field.addEventListener("focus", show);
  field.addEventListener("blur", () => setTimeout(close, 200));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && found.length) take(found[marked]);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      marked = (marked + step + found.length) % found.length;
      found.forEach((_, place) =>
        list.children[place].setAttribute("aria-selected", String(place === marked)),
      );
      list.children[marked].scrollIntoView({ block: "nearest" });
    }
  });
};

Report.start = async () => {
  document.querySelectorAll("table").forEach(Report.makeSortable);
  const content = JSON.parse(document.getElementById("content").textContent);
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("caption").textContent =
      "This browser is too old to unpack the network: it needs Chrome 80, Firefox 113, Safari 16.4.";
    return;
  }
  const net = await Report.Network.load(content);
  Report.page = new Report.Page(net);
  await Report.page.go({});
  Report.drawHeat(net, (node, condition) => {
    if (node < 0) return;
    if (condition >= 0) document.getElementById("condition").value = condition;
    Report.page.go({ node, view: "near", ...(condition >= 0 ? { condition } : {}) });
    document.getElementById("network").scrollIntoView();
  });
  document.documentElement.dataset.ready = Math.round(performance.now());
};

Report.start();
