import type { RequestContext } from '../../http/request-context';

/** Tells how much of a limit a caller may use, by the risk that it shows. Whoever knows the risk provides it; without one it is all. */
export interface LimitFactors {
  /** More than 0, at most 1. Asked with every counted request, so it answers from memory. */
  factor(context: RequestContext): number;
}
export const LIMIT_FACTORS = Symbol('LIMIT_FACTORS');
