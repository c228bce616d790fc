import { Injectable } from '@nestjs/common';
import { isCurrency } from '../../money/currency';
import { formatAmount } from '../../money/money';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { extraOf, type ModelOpinion } from '../model/opinion';
import type { Signals, Subject } from '../signals/signal-catalogue';
import { evaluate, type Verdict } from './evaluate';
import { RuleBook, type RuleSet } from './rule-book';
import type { BacktestAnswer, BacktestBody } from './rules.dto';

interface PastRow {
  client_id: string;
  subject_id: string;
  subject: Subject;
  score: string;
  decision: Verdict['decision'];
  signals: Signals;
  model: ModelOpinion | null;
  amount_minor: string | null;
  currency: string | null;
  created_at: Date;
  label: 'fraud' | 'legitimate' | null;
}

const PAST = `
  select a.client_id, a.subject_id, a.subject, a.score, a.decision, a.signals, a.model, a.amount_minor, a.currency, a.created_at, l.label
    from risk_assessments a
    left join risk_labels l on l.client_id = a.client_id and l.livemode = a.livemode and l.subject_id = a.subject_id
   where a.created_at >= $1 and a.created_at < $2 and (a.created_at, a.subject_id) < ($3, $4)
   order by a.created_at desc, a.subject_id desc limit $5`;

const BATCH = 1_000;
const EXAMPLES = 20;
const DAYS = 30;
const NOBODY: BacktestAnswer['labelled'] = { frauds: 0, caught_before: 0, caught_after: 0, legitimate: 0, disturbed_before: 0, disturbed_after: 0 };

/** Replays past assessments with other rules: from the very signals that were seen then, so nothing that came later leaks in. */
@Injectable()
export class Backtest {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly rules: RuleBook,
  ) {}

  /** What would have been decided otherwise, of at most `limit` assessments, the newest first. */
  async run(body: BacktestBody): Promise<BacktestAnswer> {
    const set = withCandidates(await this.rules.current(), body);
    const to = body.to ? new Date(body.to) : new Date();
    const from = body.from ? new Date(body.from) : new Date(to.getTime() - DAYS * 86_400_000);
    const tally = new Tally(set);
    let cursor: [Date, string] = [to, ''];
    let left = body.limit;
    for (let rows: PastRow[] = []; left > 0; left -= rows.length) {
      rows = await this.unitOfWork.read<PastRow>('', PAST, [from, to, ...cursor, Math.min(BATCH, left)]);
      for (const row of rows) tally.add(row);
      if (rows.length < Math.min(BATCH, left)) break;
      const last = rows.at(-1)!;
      cursor = [last.created_at, last.subject_id];
    }
    return tally.answer(left <= 0);
  }
}

/** The rules in force with those of the same name replaced and the others added. Candidates that are in shadow are taken as active. */
function withCandidates(current: RuleSet, { rules: candidates, thresholds }: BacktestBody): RuleSet {
  const rules = new Map([...current.rules].map(([subject, own]) => {
    const mine = candidates.filter(({ rule }) => rule.subject === subject)
      .map(({ name, rule }) => ({ ...rule, name, version: 0, mode: rule.mode === 'shadow' ? 'active' as const : rule.mode }));
    const names = new Set(mine.map(({ name }) => name));
    return [subject, [...own.filter(({ name }) => !names.has(name)), ...mine]] as const;
  }));
  const own = new Map(current.thresholds);
  if (thresholds) own.set(thresholds.subject, thresholds.body);
  return { ...current, rules, thresholds: own };
}

class Tally {
  private readonly before = { allow: 0, review: 0, block: 0 };
  private readonly after = { allow: 0, review: 0, block: 0 };
  private readonly amounts = new Map<string, { subject: Subject; from: string; to: string; currency: string; count: number; minor: bigint }>();
  private readonly fired: Record<string, number> = {};
  private readonly examples: BacktestAnswer['examples'] = [];
  private readonly labelled = { ...NOBODY };
  private first: Date | null = null;
  private last: Date | null = null;
  private count = 0;
  private changed = 0;

  constructor(private readonly set: RuleSet) {}

  add(row: PastRow): void {
    // What the learned model said then counts as it would now.
    const extra = extraOf(this.set.model, row.model ?? undefined);
    const verdict = evaluate(this.set.rules.get(row.subject) ?? [], this.set.thresholds.get(row.subject)!, row.signals, extra);
    this.count += 1;
    this.last ??= row.created_at;
    this.first = row.created_at;
    this.before[row.decision] += 1;
    this.after[verdict.decision] += 1;
    for (const name of verdict.fired) this.fired[name] = (this.fired[name] ?? 0) + 1;
    this.addLabel(row, verdict);
    if (verdict.decision !== row.decision) this.addChange(row, verdict);
  }

  answer(truncated: boolean): BacktestAnswer {
    const amounts = [...this.amounts.values()].map(({ minor, currency, ...rest }) =>
      ({ ...rest, currency, amount: isCurrency(currency) ? formatAmount(minor, currency) : minor.toString() }));
    return {
      object: 'backtest', assessments: this.count, truncated, from: this.first?.toISOString() ?? null, to: this.last?.toISOString() ?? null,
      before: this.before, after: this.after, changed: this.changed, amounts, labelled: this.labelled, rules: this.fired, examples: this.examples,
    };
  }

  private addLabel({ label, decision }: PastRow, verdict: Verdict): void {
    if (!label) return;
    const [known, noticedBefore, noticedAfter] = label === 'fraud'
      ? (['frauds', 'caught_before', 'caught_after'] as const) : (['legitimate', 'disturbed_before', 'disturbed_after'] as const);
    this.labelled[known] += 1;
    if (decision !== 'allow') this.labelled[noticedBefore] += 1;
    if (verdict.decision !== 'allow') this.labelled[noticedAfter] += 1;
  }

  private addChange(row: PastRow, verdict: Verdict): void {
    this.changed += 1;
    const { subject, currency, decision: from, amount_minor: amount } = row;
    const to = verdict.decision;
    if (currency && amount) {
      const key = [subject, from, to, currency].join(' ');
      const sum = this.amounts.get(key) ?? { subject, from, to, currency, count: 0, minor: 0n };
      this.amounts.set(key, { ...sum, count: sum.count + 1, minor: sum.minor + BigInt(amount) });
    }
    if (this.examples.length >= EXAMPLES) return;
    this.examples.push({
      subject_id: row.subject_id, subject, client: row.client_id, from, to, score_before: Number(row.score), score_after: verdict.score,
      reasons_after: verdict.reasons,
    });
  }
}
