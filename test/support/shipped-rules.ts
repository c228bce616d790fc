import { RISK_DEFINITIONS } from '../../migrations/seeds/risk-definitions';
import { evaluate, type Verdict } from '../../src/fraud/rules/evaluate';
import { type Rule, ruleBody, type Thresholds, thresholdBody } from '../../src/fraud/rules/rule';
import type { Signals, Subject } from '../../src/fraud/signals/signal-catalogue';

/** The rules that a new gateway starts with, in their order. */
export function shippedRules(subject: Subject): Rule[] {
  return RISK_DEFINITIONS.filter(({ kind }) => kind === 'rule')
    .map(({ name, body }) => ({ ...ruleBody.parse(body), name, version: 1 }))
    .filter((rule) => rule.subject === subject);
}

/** Their thresholds. */
export function shippedThresholds(subject: Subject): Thresholds {
  return thresholdBody.parse(RISK_DEFINITIONS.find(({ kind, name }) => kind === 'threshold' && name === subject)!.body);
}

/** What they say of signals, as objects of the API show it. */
export function judgeAsShipped(subject: Subject, signals: Signals): Pick<Verdict, 'score' | 'decision' | 'reasons'> {
  const { score, decision, reasons } = evaluate(shippedRules(subject), shippedThresholds(subject), signals);
  return { score, decision, reasons };
}
