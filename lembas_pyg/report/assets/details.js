// The panel beside the drawing: what is known of a node, an edge, or the condition as a whole.
"use strict";

Report.MOST_ROWS = 60;

Report.Details = class {
  constructor(net, page) {
    this.net = net;
    this.page = page; // choose(node), chooseEdge(edge)
    this.box = document.getElementById("details");
    this.shown = 0;
  }

  /** Put content into the panel unless something else was asked for meanwhile. */
  async put(parts) {
    this.shown += 1;
    const mine = this.shown;
    const made = await parts;
    if (mine !== this.shown) return;
    this.box.replaceChildren(...made.flat().filter((part) => part !== null));
    this.box.scrollTop = 0;
  }

  link(node) {
    const { net, page } = this;
    return Report.element(
      "button",
      { type: "button", class: "link", title: net.name[node], onclick: () => page.choose(node) },
      net.label[node],
    );
  }

  glyph(edge) {
    const way = this.net.way(edge);
    const [sign, word] = {
      up: ["\u2192", "activation"],
      down: ["\u22a3", "inhibition"],
      open: ["\u2013", "sign unknown"],
    }[way];
    return {
      text: Report.element("span", { class: way, title: word, "aria-label": word }, sign),
      value: word,
    };
  }

  heading(level, ...text) {
    return Report.element(`h${level}`, {}, ...text);
  }

  paragraph(...text) {
    return Report.element("p", {}, ...text);
  }

  note(text) {
    return Report.element("p", { class: "note" }, text);
  }

  /** The condition as a whole: which knock-outs matter most. */
  async condition(condition) {
    const { net } = this;
    const knocked = await net.knockOuts(condition);
    const stimuli = net.content.stimuli[condition].map(([node, dose], place) => [
      place ? ", " : "",
      this.link(node),
      ` ${+dose.toPrecision(3)}`,
    ]);
    return [
      this.heading(3, net.conditions[condition]),
      this.paragraph("Stimulus: ", ...(stimuli.length ? stimuli.flat() : ["none"])),
      this.heading(4, "Knock-outs with the largest effect on another TF"),
      knocked ? this.largest(knocked) : this.absent(),
    ];
  }

  largest(knocked) {
    const { net } = this;
    const rows = [];
    for (let node = 0; node < net.name.length; node += 1) {
      if (net.is(node, Report.COVARIATE)) continue; // nothing that could be knocked out
      let best = [node, -1, 0];
      net.tfs.forEach((tf, place) => {
        const delta = knocked.delta.at(node * net.tfs.length + place);
        if (tf !== node && Math.abs(delta) > Math.abs(best[2])) best = [node, tf, delta];
      });
      if (best[1] >= 0) rows.push(best);
    }
    rows.sort((a, b) => Math.abs(b[2]) - Math.abs(a[2]));
    if (!rows.length) return this.note("No knock-out changes a TF.");
    const columns = [{ title: "node" }, { title: "TF" }, { title: "effect", number: true }];
    const shown = rows.slice(0, Report.MOST_ROWS);
    return Report.table(
      columns,
      shown.map(([node, tf, delta]) => [this.link(node), this.link(tf), this.effect(delta)]),
      { id: "largest" },
    );
  }

  /** The edges of a path: what each carries of the effect, or passes on of a small change. */
  async path(edges, path, condition) {
    const { net, page } = this;
    const shares = path.edges === edges ? path.share : null;
    const last = { title: shares ? "share" : "gain", number: true };
    const columns = [{ title: "from" }, { title: "sign" }, { title: "to" }, last, { title: "" }];
    const rows = edges.map((edge, place) => [
      this.link(net.source[edge]),
      this.glyph(edge),
      this.link(net.target[edge]),
      Report.number(shares ? shares[place] : net.gain(edge, condition)),
      Report.element(
        "button",
        { type: "button", class: "link", onclick: () => page.chooseEdge(edge) },
        "evidence",
      ),
    ]);
    return [
      this.heading(3, `${net.label[path.ligand]} to ${net.label[path.tf]}`),
      this.paragraph(
        `Under ${net.conditions[condition]}. `,
        shares
          ? "Share: of the effect, what an interaction passes on towards the TF; feedback can " +
              "make it more than comes in."
          : "Gain: of a small change of the source, what is passed on to the target.",
      ),
      rows.length ? Report.table(columns, rows, { id: "path" }) : this.note("No way was found."),
    ];
  }

  absent() {
    return this.note(
      this.net.content.knockOuts
        ? "Knock-outs were not computed under this condition."
        : "Knock-outs were not computed for this page.",
    );
  }

  effect(delta) {
    const way = delta > 0 ? "up" : "down";
    return {
      text: Report.element("span", { class: way }, Report.signed(delta)),
      value: Math.abs(delta),
    };
  }

  /** A node: roles, state, regulators, targets, knock-outs. */
  async node(node, condition) {
    const { net } = this;
    const name = net.name[node];
    const known = /^([OPQ]\d[A-Z\d]{3}\d|[A-NR-Z]\d([A-Z][A-Z\d]{2}\d){1,2})$/.test(name);
    const spread = net.spreadOf(node, condition);
    const state = Report.number(net.stateOf(node, condition));
    const under = net.conditions[condition];
    const lines = [
      this.heading(3, net.label[node]),
      this.paragraph(
        ...net.roles(node).map((role) => Report.element("span", { class: "chip" }, role)),
        known
          ? Report.element(
              "a",
              { href: `https://www.uniprot.org/uniprotkb/${name}`, rel: "noreferrer" },
              name,
            )
          : name,
      ),
      this.paragraph(
        `State under ${under}: ${state}`,
        Number.isFinite(spread) ? ` \u00b1 ${Report.number(spread)}` : "",
      ),
    ];
    if (net.place.has(node)) {
      const activity = Report.number(net.activityOf(node, condition));
      const measured = net.measuredOf(node, condition);
      lines.push(
        this.paragraph(
          `TF activity: ${activity}`,
          Number.isFinite(measured) ? `, measured ${Report.number(measured)}` : "",
        ),
      );
    }
    const knocked = await net.knockOuts(condition);
    lines.push(
      ...this.neighbours("Regulators", net.into[node], "source", condition),
      ...this.neighbours("Targets", net.outOf[node], "target", condition),
      this.heading(4, `Knock-out of ${net.label[node]}: TFs that change`),
      knocked ? this.changes(node, knocked) : this.absent(),
    );
    if (net.place.has(node) && knocked) {
      lines.push(
        this.heading(4, `Knock-outs that change ${net.label[node]}`),
        this.causes(node, knocked),
      );
    }
    return lines;
  }

  neighbours(title, edges, end, condition) {
    const { net, page } = this;
    const heading = this.heading(4, `${title} (${edges.length})`);
    if (!edges.length) return [heading, this.note("None in this network.")];
    const columns = [
      { title: "sign" },
      { title: title === "Targets" ? "target" : "regulator" },
      { title: "weight", number: true },
      { title: "signal", number: true },
      { title: "" },
    ];
    const ranked = [...edges].sort(
      (a, b) => Math.abs(net.signal(b, condition)) - Math.abs(net.signal(a, condition)) || a - b,
    );
    const rows = ranked.slice(0, 4 * Report.MOST_ROWS).map((edge) => [
      this.glyph(edge),
      this.link(net[end][edge]),
      Report.number(net.weight.at(edge)),
      Report.number(net.signal(edge, condition)),
      Report.element(
        "button",
        { type: "button", class: "link", onclick: () => page.chooseEdge(edge) },
        "evidence",
      ),
    ]);
    const parts = [heading, Report.table(columns, rows, { id: title.toLowerCase() })];
    if (ranked.length > rows.length) {
      parts.push(this.note(`The ${rows.length} with the strongest signal.`));
    }
    return parts;
  }

  /** TFs that a knock-out changes. */
  changes(node, knocked) {
    const { net } = this;
    const rows = net.tfs.map((tf, place) => [tf, node * net.tfs.length + place]);
    return this.effects(rows, knocked, "TF", "knock-out");
  }

  /** Knock-outs that change a TF. */
  causes(tf, knocked) {
    const { net } = this;
    const place = net.place.get(tf);
    const rows = net.name.map((_, node) => [node, node * net.tfs.length + place]);
    const nodes = rows.filter(([node]) => !net.is(node, Report.COVARIATE));
    return this.effects(nodes, knocked, "node", "causes");
  }

  effects(entries, knocked, title, id) {
    const { net } = this;
    const rows = entries
      .map(([node, place]) => [node, knocked.delta.at(place), knocked.agree?.at(place)])
      .filter(([, delta]) => Math.abs(delta) > 0)
      .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    if (!rows.length) return this.note(`None changes by ${net.content.knockOuts.smallest} or more.`);
    const columns = [{ title }, { title: "effect", number: true }];
    if (knocked.agree) columns.push({ title: `agree, of ${net.content.members}`, number: true });
    const cells = rows
      .slice(0, Report.MOST_ROWS)
      .map(([node, delta, agree]) => [
        this.link(node),
        this.effect(delta),
        ...(knocked.agree ? [String(agree)] : []),
      ]);
    const table = Report.table(columns, cells, { id });
    if (rows.length <= cells.length) return table;
    return Report.element(
      "div",
      {},
      table,
      this.note(`The ${cells.length} largest of ${rows.length} effects.`),
    );
  }

  /** An edge: what it carries, and who says that it exists. */
  async edge(edge, condition) {
    const { net, page } = this;
    const [source, target] = [net.source[edge], net.target[edge]];
    const weight = net.weight.at(edge);
    const spread = net.weightSpread ? net.weightSpread.at(edge) : NaN;
    const sign = net.sign[edge];
    const words = { up: "activates", down: "inhibits", open: "acts, with unknown sign, on" };
    const numbers = [
      ["weight", Report.number(weight) + (net.weightSpread ? ` \u00b1 ${Report.number(spread)}` : "")],
      ["signal (weight times state of the source)", Report.number(net.signal(edge, condition))],
      ["gain (weight times slope of the target)", Report.number(net.gain(edge, condition))],
    ];
    return [
      this.heading(3, this.link(source), ` ${words[net.way(edge)]} `, this.link(target)),
      sign && weight * sign < 0
        ? this.paragraph("The sign of the weight contradicts the known mode of action.")
        : null,
      Report.table([{ title: "" }, { title: net.conditions[condition], number: true }], numbers),
      ...this.proof(await net.evidence(edge)),
      this.paragraph(
        Report.element(
          "button",
          { type: "button", onclick: () => page.choose(target) },
          `Back to ${net.label[target]}`,
        ),
      ),
    ];
  }

  proof(evidence) {
    if (!evidence) return [this.note("The network table names neither resources nor references.")];
    const { resources, references } = evidence;
    const byPaper = new Map();
    for (const reference of references) {
      const cut = reference.lastIndexOf(":");
      const paper = reference.slice(cut + 1);
      const resource = cut < 0 ? "" : reference.slice(0, cut);
      byPaper.set(paper, [...(byPaper.get(paper) ?? []), resource].filter(Boolean));
    }
    const papers = [...byPaper].map(([paper, names]) => {
      const isPubMed = /^\d{4,8}$/.test(paper);
      const link = Report.element(
        "a",
        { href: `https://pubmed.ncbi.nlm.nih.gov/${paper}/`, rel: "noreferrer" },
        paper,
      );
      return Report.element(
        "li",
        {},
        isPubMed ? link : paper,
        names.length ? ` (${names.join(", ")})` : "",
      );
    });
    return [
      this.heading(4, `Resources (${resources.length})`),
      resources.length
        ? Report.element("p", { class: "names" }, resources.join(", "))
        : this.note("None is named."),
      this.heading(4, `References (${papers.length})`),
      papers.length ? Report.element("ul", { class: "names" }, ...papers) : this.note("None is named."),
    ];
  }
};
