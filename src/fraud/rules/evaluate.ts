import { counted } from '../risk';
import { flatSignals, type Signals, type SignalValue, usualOf, valueOf, WINDOW_TEXTS } from '../signals/signal-catalogue';
import type { Condition, Rule, Thresholds } from './rule';

/** What the rules say of a set of signals. Pure: the same signals and rules give the same verdict, now and in a back-test. */
export interface Verdict {
  score: number;
  decision: 'allow' | 'review' | 'block';
  /** For people, in the order of the rules, with the figure behind each. */
  reasons: string[];
  /** The names of the rules that fired. */
  fired: string[];
  /** What it would have been with the rules in shadow; absent where these change nothing. */
  shadow?: { score: number; decision: 'allow' | 'review' | 'block'; fired: string[]; reasons: string[] };
}

/** What adds to the score beside the rules, and what people are told of it. */
export interface ExtraScore {
  score: number;
  reason: string;
}

/** Decides with the rules that are active, and tells apart what those in shadow would have made of it. */
export function evaluate(rules: readonly Rule[], thresholds: Thresholds, signals: Signals, extra?: ExtraScore): Verdict {
  const fired = rules.filter((rule) => rule.mode !== 'off' && rule.when.every((condition) => holds(condition, signals)));
  const active = fired.filter(({ mode }) => mode === 'active');
  const verdict = decide(active, thresholds, signals, extra);
  const inShadow = fired.filter(({ mode }) => mode === 'shadow');
  if (inShadow.length === 0) return verdict;
  const { score, decision } = decide(fired, thresholds, signals, extra);
  const names = inShadow.map(({ name }) => name);
  return { ...verdict, shadow: { score, decision, fired: names, reasons: inShadow.map((rule) => reasonOf(rule, signals)) } };
}

/** Scores are added in hundredths, so that adding them up is exact. A verdict is never averaged with anything. */
function decide(fired: readonly Rule[], { review_from, block_from, soft_limit }: Thresholds, signals: Signals, extra?: ExtraScore): Verdict {
  const soft = Math.min(sumOf(fired) + hundredths(extra?.score ?? 0), hundredths(soft_limit));
  const review = hundredths(review_from);
  const says = (verdict: Rule['verdict']) => fired.some((rule) => rule.verdict === verdict);
  const reasons = fired.map((rule) => reasonOf(rule, signals));
  if (extra) reasons.push(extra.reason);
  const names = fired.map(({ name }) => name);
  if (says('block')) return { score: 1, decision: 'block', reasons, fired: names };
  if (says('allow')) return { score: 0, decision: 'allow', reasons, fired: names };
  const score = Math.max(soft, says('review') ? review : 0);
  return { score: score / 100, decision: score >= hundredths(block_from) ? 'block' : score >= review ? 'review' : 'allow', reasons, fired: names };
}

const hundredths = (score: number) => Math.round(score * 100);
const sumOf = (rules: readonly Rule[]) => rules.reduce((sum, { score }) => sum + hundredths(score ?? 0), 0);

/** Whether a condition holds. What is not known holds nothing. */
export function holds(condition: Condition, signals: Signals): boolean {
  const value = valueOf(signals, condition.signal, condition.window);
  if (condition.is !== undefined) return value === condition.is;
  if (typeof value !== 'number') return false;
  const { at_least, at_most, above, below, times_usual } = condition;
  if (at_least !== undefined && value < at_least) return false;
  if (at_most !== undefined && value > at_most) return false;
  if (above !== undefined && value <= above) return false;
  if (below !== undefined && value >= below) return false;
  if (times_usual === undefined) return true;
  const usual = usualOf(signals, condition.signal, condition.window);
  return typeof usual === 'number' && value >= times_usual * usual;
}

/** The reason with its figures put in. */
export function reasonOf({ when: [first], reason }: Rule, signals: Signals): string {
  // Most reasons name only figures of their own; to name all of them takes longer than to judge.
  let flat: Readonly<Record<string, SignalValue>> | undefined;
  const own: Readonly<Record<string, SignalValue>> = {
    value: valueOf(signals, first.signal, first.window), usual: usualOf(signals, first.signal, first.window),
    window: first.window ? WINDOW_TEXTS[first.window] : null,
  };
  return reason.replace(/\{([a-z0-9_]+)(?:\|([a-z ]+))?\}/g, (_, name: string, noun?: string) => {
    const value = Object.hasOwn(own, name) ? own[name] : (flat ??= flatSignals(signals))[name];
    return noun && typeof value === 'number' ? counted(value, noun) : shown(value);
  });
}

/** Whole numbers as they are, others with one decimal; what is not known as a question mark. */
function shown(value: SignalValue | undefined): string {
  if (typeof value !== 'number') return value === null || value === undefined ? '?' : String(value);
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
