/** Tells whether something is said for the first time in a while. It remembers a bounded number of things and forgets the oldest first. */
export class OnceInAWhile {
  private readonly saidAt = new Map<string, number>();

  constructor(
    private readonly whileMs: number,
    private readonly remembered: number,
  ) {}

  /** Whether it was not said within this while; it counts as said then. */
  isNew(what: string): boolean {
    const now = Date.now();
    const before = this.saidAt.get(what);
    if (before !== undefined && now - before < this.whileMs) return false;
    this.saidAt.delete(what);
    this.saidAt.set(what, now);
    if (this.saidAt.size > this.remembered) this.saidAt.delete(this.saidAt.keys().next().value!);
    return true;
  }
}
