import { bin, type BinnedTable, type Columns } from './binning';
import { type Gradients, TreeGrower, type TreeLimits } from './grow-tree';
import { pick, type Random, randomOf } from './random';
import type { Tree } from './tree';

/** How boosted trees are trained. */
export interface BoostOptions extends TreeLimits {
  /** Trees are grown in several runs of their own seeds, whose log-odds are averaged: less depends on one draw. */
  runs: number;
  rounds: number;
  /** How much of what a tree says is taken. */
  shrinkage: number;
  /** Shares of the rows and of the features that a tree sees. */
  rowShare: number;
  featureShare: number;
  maxBins: number;
}

/** What was learned: trees whose leaf values, added to the base, are the log-odds of fraud. */
export interface BoostedTrees {
  baseScore: number;
  trees: Tree[];
}

const sigmoid = (logOdds: number) => 1 / (1 + Math.exp(-logOdds));

/** Trains on columns of features and labels (1 for fraud); `seed` decides every draw. */
export function boost(columns: Columns, labels: Uint8Array, options: BoostOptions, seed: number): BoostedTrees {
  const table = bin(columns, labels, options.maxBins);
  const frauds = labels.reduce((sum, label) => sum + label, 0);
  // Half a row on either side, so that a table of one kind has odds too.
  const baseScore = Math.log((frauds + 0.5) / (labels.length - frauds + 0.5));
  const trees: Tree[] = [];
  for (let run = 0; run < options.runs; run += 1) {
    const random = randomOf(seed * 1009 + run);
    trees.push(...new Run(table, columns, labels, options, random).train(baseScore));
  }
  return { baseScore, trees };
}

/** One sequence of trees, each of which corrects those before it. */
class Run {
  private readonly gradients: Gradients;
  private readonly scores: Float64Array;

  constructor(
    private readonly table: BinnedTable,
    private readonly columns: Columns,
    private readonly labels: Uint8Array,
    private readonly options: BoostOptions,
    private readonly random: Random,
  ) {
    this.gradients = { first: new Float64Array(table.rowCount), second: new Float64Array(table.rowCount) };
    this.scores = new Float64Array(table.rowCount);
  }

  train(baseScore: number): Tree[] {
    this.scores.fill(baseScore);
    return Array.from({ length: this.options.rounds }, () => {
      const tree = this.nextTree();
      this.addToScores(tree);
      return { ...tree, value: tree.value.map((value) => value / this.options.runs) };
    });
  }

  private nextTree(): Tree {
    const { rowShare, featureShare, shrinkage } = this.options;
    const count = this.columns.length;
    const features = pick(Math.max(1, Math.round(count * featureShare)), count, this.random);
    const rows: number[] = [];
    for (let row = 0; row < this.table.rowCount; row += 1) {
      if (this.random() >= rowShare) continue;
      rows.push(row);
      const probability = sigmoid(this.scores[row]);
      this.gradients.first[row] = probability - this.labels[row];
      this.gradients.second[row] = probability * (1 - probability);
    }
    const tree = new TreeGrower(this.table, this.gradients, features, this.options).grow(Int32Array.from(rows));
    return { ...tree, value: tree.value.map((value) => value * shrinkage) };
  }

  private addToScores(tree: Tree): void {
    const { feature, threshold, left, right, value } = tree;
    for (let row = 0; row < this.table.rowCount; row += 1) {
      let node = 0;
      while (feature[node] >= 0) node = this.columns[feature[node]][row] <= threshold[node] ? left[node] : right[node];
      this.scores[row] += value[node];
    }
  }
}
