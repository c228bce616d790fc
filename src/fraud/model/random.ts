/** Random numbers that a seed repeats exactly: the same seed and data always train the same model. Not for secrets. */
export type Random = () => number;

/** Numbers from 0 (included) to 1 (not included): an additive Weyl sequence whose steps are mixed (Steele and Vigna, SplitMix). */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Picks so many different whole numbers below `below`, in ascending order. */
export function pick(count: number, below: number, random: Random): number[] {
  const all = Array.from({ length: below }, (_, at) => at);
  for (let at = 0; at < Math.min(count, below); at += 1) {
    const other = at + Math.floor(random() * (below - at));
    [all[at], all[other]] = [all[other], all[at]];
  }
  return all.slice(0, count).sort((a, b) => a - b);
}
