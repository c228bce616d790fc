import type { BinnedTable } from './binning';
import type { Tree } from './tree';

/** How a tree may grow. */
export interface TreeLimits {
  /** Decisions from the root to a leaf, at most. */
  depth: number;
  /** A leaf must hold this much of the second derivative: the fewer certain rows, the less it may say. */
  minHessian: number;
  /** Pulls the values of small leaves to zero. */
  lambda: number;
  /** What a decision must at least improve the loss by. */
  minGain: number;
  /** By feature: 1 when a larger figure never makes a fraud less likely, -1 when never more likely, 0 when either may be. */
  directions: readonly number[];
}

/** First and second derivative of the loss, by row of the table. */
export interface Gradients {
  first: Float64Array;
  second: Float64Array;
}

/** Sums of derivatives by feature and bin. */
interface Histogram {
  first: Float64Array;
  second: Float64Array;
}

interface Split {
  gain: number;
  feature: number;
  bin: number;
}

interface Sums {
  rows: Int32Array;
  histogram: Histogram;
  first: number;
  second: number;
}

interface Node extends Sums {
  /** Between these the values below must stay, so that a decision further up keeps its direction. */
  low: number;
  high: number;
}

const BINS = 256;

/**
 * Grows one tree by second-order boosting (Chen and Guestrin, "XGBoost", 2016, equations 6 and 7): each decision is the one that lowers the
 * loss the most, among the bins of the features that it may use. Depth first, so that nodes stand in the order of reading.
 */
export class TreeGrower {
  private readonly tree: Tree = { feature: [], threshold: [], left: [], right: [], value: [] };

  constructor(
    private readonly table: BinnedTable,
    private readonly gradients: Gradients,
    private readonly features: readonly number[],
    private readonly limits: TreeLimits,
  ) {}

  /** Grows from the given rows. Values are not shrunk yet. */
  grow(rows: Int32Array): Tree {
    this.add({ ...this.sums(rows), low: -Infinity, high: Infinity }, 0);
    return this.tree;
  }

  private add(node: Node, depth: number): number {
    const at = this.tree.value.length;
    this.put(at, -1, 0, this.valueOf(node));
    const split = depth < this.limits.depth ? this.bestSplit(node) : undefined;
    if (!split) return at;
    const [left, right] = this.divide(node, split);
    this.tree.feature[at] = split.feature;
    this.tree.threshold[at] = this.table.edges[split.feature][split.bin];
    this.tree.left[at] = this.add(left, depth + 1);
    this.tree.right[at] = this.add(right, depth + 1);
    return at;
  }

  private valueOf({ first, second, low, high }: Omit<Node, 'rows' | 'histogram'>): number {
    return Math.min(high, Math.max(low, -first / (second + this.limits.lambda)));
  }

  private put(at: number, feature: number, threshold: number, value: number): void {
    this.tree.feature[at] = feature;
    this.tree.threshold[at] = threshold;
    this.tree.left[at] = 0;
    this.tree.right[at] = 0;
    this.tree.value[at] = value;
  }

  private histogramOf(rows: Int32Array): Histogram {
    const { first, second } = this.gradients;
    const size = this.features.length * BINS;
    const histogram = { first: new Float64Array(size), second: new Float64Array(size) };
    this.features.forEach((feature, index) => {
      const column = this.table.columns[feature];
      const start = index * BINS;
      for (let at = 0; at < rows.length; at += 1) {
        const row = rows[at];
        const cell = start + column[row];
        histogram.first[cell] += first[row];
        histogram.second[cell] += second[row];
      }
    });
    return histogram;
  }

  private bestSplit(node: Node): Split | undefined {
    const { histogram, first, second, low, high } = node;
    const { minHessian, lambda, minGain, directions } = this.limits;
    const whole = (first * first) / (second + lambda);
    let best: Split | undefined;
    this.features.forEach((feature, index) => {
      let leftFirst = 0;
      let leftSecond = 0;
      const last = this.table.edges[feature].length;
      for (let bin = 0; bin < last; bin += 1) {
        leftFirst += histogram.first[index * BINS + bin];
        leftSecond += histogram.second[index * BINS + bin];
        if (leftSecond < minHessian) continue;
        const rightSecond = second - leftSecond;
        if (rightSecond < minHessian) break;
        const rightFirst = first - leftFirst;
        const gain = (leftFirst * leftFirst) / (leftSecond + lambda) + (rightFirst * rightFirst) / (rightSecond + lambda) - whole;
        if (gain <= (best?.gain ?? minGain)) continue;
        const left = this.valueOf({ first: leftFirst, second: leftSecond, low, high });
        const right = this.valueOf({ first: rightFirst, second: rightSecond, low, high });
        if ((right - left) * directions[feature] >= 0) best = { gain, feature, bin };
      }
    });
    return best;
  }

  /** The smaller side is counted; the other is what remains of the whole. */
  private divide(node: Node, { feature, bin }: Split): [Node, Node] {
    const column = this.table.columns[feature];
    const leftRows = node.rows.filter((row) => column[row] <= bin);
    const rightRows = node.rows.filter((row) => column[row] > bin);
    const isLeftSmaller = leftRows.length <= rightRows.length;
    const smaller = this.sums(isLeftSmaller ? leftRows : rightRows);
    const rest = {
      rows: isLeftSmaller ? rightRows : leftRows,
      histogram: subtract(node.histogram, smaller.histogram),
      first: node.first - smaller.first,
      second: node.second - smaller.second,
    };
    return this.bounded(node, isLeftSmaller ? [smaller, rest] : [rest, smaller], this.limits.directions[feature]);
  }

  /** Halves the room for values where the feature has a direction, so that nothing below the two sides can turn it round. */
  private bounded({ low, high }: Node, [left, right]: [Sums, Sums], direction: number): [Node, Node] {
    const sides: [Node, Node] = [{ ...left, low, high }, { ...right, low, high }];
    if (direction === 0) return sides;
    const middle = (this.valueOf(sides[0]) + this.valueOf(sides[1])) / 2;
    const [lower, upper] = direction > 0 ? sides : [sides[1], sides[0]];
    lower.high = middle;
    upper.low = middle;
    return sides;
  }

  private sums(rows: Int32Array): Sums {
    let first = 0;
    let second = 0;
    for (const row of rows) {
      first += this.gradients.first[row];
      second += this.gradients.second[row];
    }
    return { rows, histogram: this.histogramOf(rows), first, second };
  }
}

function subtract(whole: Histogram, part: Histogram): Histogram {
  return {
    first: whole.first.map((sum, at) => sum - part.first[at]),
    second: whole.second.map((sum, at) => sum - part.second[at]),
  };
}
