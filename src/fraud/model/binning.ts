/** A table of features, column by column, with each figure replaced by the number of the bin that it falls into. */
export interface BinnedTable {
  rowCount: number;
  /** One column per feature. */
  columns: readonly Uint8Array[];
  /** Per feature the upper ends of all bins but the last, ascending: bin `b` holds what is at most `edges[b]`. */
  edges: readonly Float64Array[];
}

/** The columns of a table; all of the same length. */
export type Columns = readonly Float64Array[];

/**
 * Sorts figures into bins (256 at most). Half of the edges split all rows into equal parts, half of them the frauds: a figure that only
 * frauds reach lies far out in the tail of all rows, where equal parts would not tell it from its neighbours.
 */
export function bin(columns: Columns, labels: Uint8Array, maxBins: number): BinnedTable {
  const edges = columns.map((column) => {
    const frauds = column.filter((_, row) => labels[row] === 1);
    return Float64Array.from(new Set([...edgesOf(column, column, maxBins >> 1), ...edgesOf(column, frauds, maxBins >> 1)])).sort();
  });
  return {
    rowCount: labels.length,
    columns: columns.map((column, at) => Uint8Array.from(column, (value) => binOf(value, edges[at]))),
    edges,
  };
}

/**
 * Edges that split `some` of a column's figures into equal parts. They lie half-way to the next lower figure of the whole column, so that
 * a figure a little off those of the training falls on the nearer side.
 */
function edgesOf(column: Float64Array, some: Float64Array, parts: number): number[] {
  const sorted = Float64Array.from(column).sort();
  const chosen = Float64Array.from(some).sort();
  const edges = new Set<number>();
  for (let part = 0; part < parts; part += 1) {
    const value = chosen[Math.floor((part * chosen.length) / parts)];
    const at = value === undefined ? 0 : binOf(value, sorted);
    if (at > 0) edges.add(between(sorted[at - 1], value));
  }
  return [...edges];
}

/** Half-way; where two floating point numbers have nothing between them, the lower. */
function between(low: number, high: number): number {
  const middle = (low + high) / 2;
  return middle < high ? middle : low;
}

/** How many of the ascending edges lie below the figure. */
function binOf(value: number, edges: Float64Array): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= edges[middle]) high = middle;
    else low = middle + 1;
  }
  return low;
}
