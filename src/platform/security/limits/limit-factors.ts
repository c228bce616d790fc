import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../../http/request-context';
import { RefusalFactors } from '../blocks/refusal-factors';

/** Tells how much of a limit a caller may use, by the risk that it shows: more than 0, at most 1. Asked with every counted request. */
export type LimitFactor = (context: RequestContext) => number;

/** How much of its limits a caller may use: as much as the gravest of all that know something of its risk leaves. Answers from memory. */
@Injectable()
export class LimitFactors {
  private readonly sources: LimitFactor[];

  constructor(refusals: RefusalFactors) {
    this.sources = [(context) => refusals.factor(context)];
  }

  /** Called once by each feature that knows a risk. */
  register(source: LimitFactor): void {
    this.sources.push(source);
  }

  /** More than 0, at most 1. */
  factor(context: RequestContext): number {
    return this.sources.reduce((least, source) => Math.min(least, source(context)), 1);
  }
}
