import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../../http/request-context';
import { networkOf } from './networks';

/** How many refusals within the window leave which part of an address's limits; the gravest first. */
const STEPS = [
  { refusals: 75, factor: 0.25 },
  { refusals: 50, factor: 0.5 },
] as const;
/** Those that were refused last are kept; an attacker with more networks than this meets the full limits with the others. */
const MAX_NETWORKS = 10_000;

interface Standing {
  factor: number;
  untilMs: number;
}

/** Tightens the limits of addresses that are refused often, by what their counter last answered: no round trip of its own. */
@Injectable()
export class RefusalFactors {
  private readonly standings = new Map<string, Standing>();

  /** The part of its limits that the caller's address keeps: 1, a half from 50 refusals in five minutes on, a quarter from 75 on. */
  factor({ ip }: RequestContext): number {
    const network = this.standings.size > 0 && ip ? networkOf(ip) : undefined;
    const standing = network && this.standings.get(network);
    return standing && standing.untilMs > Date.now() ? standing.factor : 1;
  }

  /** Learns how many refusals of a network were counted in a window that has just been asked for. */
  learn(network: string, refusals: number, windowMs: number): void {
    const step = STEPS.find((each) => refusals >= each.refusals);
    // Deleted first, so that the map stays in the order of the last refusal.
    this.standings.delete(network);
    if (!step) return;
    this.standings.set(network, { factor: step.factor, untilMs: Date.now() + windowMs });
    if (this.standings.size > MAX_NETWORKS) this.standings.delete(this.standings.keys().next().value!);
  }
}
