// The network and what the models say of it, by number of node, edge and condition.
"use strict";

Report.LIGAND = 1;
Report.RECEPTOR = 2;
Report.TF = 4;
Report.COVARIATE = 8;

Report.Network = class {
  static async load(content) {
    const net = new Report.Network();
    const { nodes, edges } = content;
    net.content = content;
    net.name = nodes.name;
    net.label = nodes.label;
    [net.role, net.x, net.y, net.source, net.target, net.sign] = (
      await Promise.all(
        [nodes.role, nodes.x, nodes.y, edges.source, edges.target, edges.sign].map(Report.unpack),
      )
    ).map((numbers) => numbers.raw);
    [net.weight, net.weightSpread, net.state, net.stateSpread, net.slope, net.activity] =
      await Promise.all(
        ["weight", "weightSpread", "state", "stateSpread", "slope", "activity"].map((name) =>
          Report.unpack(content[name]),
        ),
      );
    net.conditions = content.conditions;
    net.tfs = content.tfs;
    net.place = new Map(net.tfs.map((node, place) => [node, place]));
    net.into = net.name.map(() => []);
    net.outOf = net.name.map(() => []);
    for (let edge = 0; edge < net.source.length; edge += 1) {
      net.into[net.target[edge]].push(edge);
      net.outOf[net.source[edge]].push(edge);
    }
    net.knocked = new Map();
    net.heat = content.heat;
    if (net.heat) {
      net.measured = await Report.unpack(net.heat.measured);
      net.predicted = await Report.unpack(net.heat.predicted);
    }
    return net;
  }

  is(node, role) {
    return (this.role[node] & role) !== 0;
  }

  /** The first role of a node, as the style sheet names it. */
  kind(node) {
    if (this.is(node, Report.COVARIATE)) return "covariate";
    if (this.is(node, Report.TF)) return "tf";
    if (this.is(node, Report.LIGAND)) return "ligand";
    return this.is(node, Report.RECEPTOR) ? "receptor" : "inner";
  }

  /** All roles of a node in words. */
  roles(node) {
    const words = [
      [Report.COVARIATE, "covariate"],
      [Report.LIGAND, "ligand"],
      [Report.RECEPTOR, "receptor"],
      [Report.TF, "transcription factor"],
    ];
    const found = words.filter(([role]) => this.is(node, role)).map(([, word]) => word);
    return found.length ? found : ["signaling node"];
  }

  /** The sign of an edge as the style sheet names it. */
  way(edge) {
    return ["down", "open", "up"][this.sign[edge] + 1];
  }

  stateOf(node, condition) {
    return this.state.at(node * this.conditions.length + condition);
  }

  spreadOf(node, condition) {
    return this.stateSpread ? this.stateSpread.at(node * this.conditions.length + condition) : NaN;
  }

  activityOf(tf, condition) {
    return this.activity.at(this.place.get(tf) * this.conditions.length + condition);
  }

  measuredOf(tf, condition) {
    if (!this.heat) return NaN;
    const row = this.heat.conditions.indexOf(condition);
    const column = this.heat.tfs.indexOf(tf);
    return row < 0 || column < 0 ? NaN : this.measured.at(row * this.heat.tfs.length + column);
  }

  /** What an edge sends: weight times state of its source. */
  signal(edge, condition) {
    return this.weight.at(edge) * this.stateOf(this.source[edge], condition);
  }

  /** How much of a small change of its source an edge passes on to its target. */
  gain(edge, condition) {
    const place = this.target[edge] * this.conditions.length + condition;
    return this.weight.at(edge) * this.slope.at(place);
  }

  /** Nodes whose symbol or accession holds a text; those that are or begin with it come first. */
  find(text, most = 12) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return [];
    const found = [];
    for (let node = 0; node < this.name.length; node += 1) {
      const names = [this.label[node].toLowerCase(), this.name[node].toLowerCase()];
      const rank = names.includes(wanted)
        ? 0
        : names.some((name) => name.startsWith(wanted))
          ? 1
          : names.some((name) => name.includes(wanted))
            ? 2
            : 3;
      if (rank < 3) found.push([rank, this.label[node].length, this.label[node], node]);
    }
    found.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2].localeCompare(b[2]));
    return found.slice(0, most).map((entry) => entry[3]);
  }

  /** Effects of knock-outs under a condition, or null: unpacked once they are asked for. */
  async knockOuts(condition) {
    const all = this.content.knockOuts;
    const parcel = all ? all.conditions.indexOf(condition) : -1;
    if (parcel < 0) return null;
    if (!this.knocked.has(condition)) {
      const [delta, agree] = await Promise.all([
        Report.unpack(all.delta[parcel]),
        all.agree ? Report.unpack(all.agree[parcel]) : null,
      ]);
      this.knocked.set(condition, { delta, agree });
    }
    return this.knocked.get(condition);
  }

  /** Resources and references of an edge, or null where the table has none. */
  async evidence(edge) {
    this.proof ??= await Report.unpack(this.content.evidence);
    if (!this.proof) return null;
    const resources = this.proof.of[edge].map((place) => this.proof.resources[place]);
    const references = this.proof.references[edge].split(";").filter(Boolean);
    return { resources, references };
  }

  /**
   * The chain of edges from a node to another that passes on most of a small change: the largest
   * product of gains, those above 1 counted as 1 (Dijkstra). Covariates are no way.
   */
  chain(from, to, condition) {
    const cost = new Float64Array(this.name.length).fill(Infinity);
    const by = new Int32Array(this.name.length).fill(-1);
    const open = new Set([from]);
    cost[from] = 0;
    while (open.size) {
      let node = -1;
      for (const other of open) if (node < 0 || cost[other] < cost[node]) node = other;
      open.delete(node);
      if (node === to) break;
      for (const edge of this.outOf[node]) {
        const next = this.target[edge];
        const gain = Math.min(1, Math.abs(this.gain(edge, condition)));
        const sum = cost[node] - Math.log(gain) + 1e-9; // of equal ones the shortest
        if (gain > 0 && sum < cost[next] && !this.is(next, Report.COVARIATE)) {
          cost[next] = sum;
          by[next] = edge;
          open.add(next);
        }
      }
    }
    if (from === to || by[to] < 0) return null;
    const edges = [];
    for (let node = to; node !== from; node = this.source[by[node]]) edges.unshift(by[node]);
    return edges;
  }
};
