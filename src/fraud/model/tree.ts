/**
 * One tree of decisions, as arrays by node; node 0 is the root. A node with a feature sends what is at most the threshold to `left`, the
 * rest to `right`. Every node has a value in log-odds: what the tree would say if it ended there.
 */
export interface Tree {
  /** -1 for a leaf. */
  feature: number[];
  threshold: number[];
  left: number[];
  right: number[];
  value: number[];
}

/** The value of the leaf that a vector ends in. */
export function leafValue({ feature, threshold, left, right, value }: Tree, vector: ArrayLike<number>): number {
  let node = 0;
  while (feature[node] >= 0) node = vector[feature[node]] <= threshold[node] ? left[node] : right[node];
  return value[node];
}

/**
 * Adds to `contributions` what each decision on the way changes, and answers the value of the root that the way starts from: root plus
 * contributions is exactly the value of the leaf (but for rounding).
 */
export function addPath({ feature, threshold, left, right, value }: Tree, vector: ArrayLike<number>, contributions: Float64Array): number {
  let node = 0;
  while (feature[node] >= 0) {
    const next = vector[feature[node]] <= threshold[node] ? left[node] : right[node];
    contributions[feature[node]] += value[next] - value[node];
    node = next;
  }
  return value[0];
}
