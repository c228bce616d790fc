import { Injectable } from '@nestjs/common';
import { isCurrency } from '../../money/currency';
import { formatAmount } from '../../money/money';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../platform/http/pagination';
import { NotFoundProblem } from '../../platform/http/problem';
import type { ListReviewsQuery, ReviewObject } from './reviews.dto';
import { flatSignals, type Signals } from '../signals/signal-catalogue';
import type { ReviewedKind } from './review-subjects';

export interface ReviewRow {
  id: string;
  client_id: string;
  livemode: boolean;
  subject: ReviewedKind;
  status: ReviewObject['status'];
  amount_minor: string | null;
  currency: string | null;
  score: string;
  reasons: string[];
  signals: Signals;
  fired: string[];
  model: object | null;
  reason: string | null;
  decided_by: string | null;
  decided_at: Date | null;
  created_at: Date;
}

const REVIEWS = `
  select r.subject_id as id, r.client_id, r.livemode, r.subject, r.status, r.reason, r.decided_by, r.decided_at, r.created_at,
         a.amount_minor, a.currency, a.score, a.reasons, a.signals, a.fired, a.model
    from risk_reviews r join risk_assessments a on a.client_id = r.client_id and a.livemode = r.livemode and a.subject_id = r.subject_id`;

/** Reads the queue of what people have to look at. */
@Injectable()
export class ReviewReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** A page, the newest first. */
  async list({ status, subject, ...page }: ListReviewsQuery): Promise<Page<ReviewObject>> {
    const clause = keyset(subject === 'payment' ? 'pay' : 'wd', { status, subject }, page);
    const rows = await this.unitOfWork.read<ReviewRow>('', `select * from (${REVIEWS}) r ${clause.sql}`, clause.values);
    return toPage(rows, page, presentReview);
  }

  /** 404 for what was never held. */
  async get(id: string): Promise<ReviewObject> {
    return presentReview(await find(<Row extends object>(sql: string, values: unknown[]) => this.unitOfWork.read<Row>('', sql, values), id));
  }

  /** The same inside a change. */
  findIn(tx: Tx, id: string): Promise<ReviewRow> {
    return find(tx.query, id);
  }
}

async function find(query: <Row extends object>(sql: string, values: unknown[]) => Promise<Row[]>, id: string): Promise<ReviewRow> {
  const [row] = await query<ReviewRow>(`${REVIEWS} where r.subject_id = $1`, [id]);
  if (!row) throw new NotFoundProblem('review');
  return row;
}

/** Shows a review with everything that led to it. */
export function presentReview(row: ReviewRow): ReviewObject {
  const { currency } = row;
  return {
    id: row.id, object: 'review', subject: row.subject, client: row.client_id, livemode: row.livemode, status: row.status,
    amount: row.amount_minor && currency && isCurrency(currency) ? formatAmount(BigInt(row.amount_minor), currency) : null, currency,
    score: Number(row.score), reasons: row.reasons, signals: flatSignals(row.signals), rules: row.fired, model: row.model, reason: row.reason,
    decided_by: row.decided_by, decided_at: row.decided_at?.toISOString() ?? null, created_at: row.created_at.toISOString(),
  };
}
