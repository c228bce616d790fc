import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../../platform/database/unit-of-work';
import { Problem, ValidationProblem } from '../../../platform/http/problem';
import { currentContext } from '../../../platform/http/request-context';
import type { List } from '../list-entry';
import type { ImportObject } from '../lists.dto';
import { type Feed, type FeedKind, FeedTooLargeError, readFeed } from './feed';

/** A feed to be taken in the place of what came under its name before. */
export interface FeedOrder {
  list: List;
  kind: FeedKind;
  source: string;
  expiresInDays?: number;
  /** Also when it is empty, or has shrunk by more than nine tenths. */
  force: boolean;
  text: string;
  /** Where the text was, for the audit log. */
  from: string;
}

const DAY_MS = 86_400_000;
/** A feed whose server is broken must not let everybody through that it had stopped. */
const LEAST_LEFT = 0.1;
/** A statement of this many takes about a second; a larger one could meet the time-out. */
const AT_ONCE = 10_000;

const OF_FEED = 'list = $1 and kind = $2 and source = $3 and client_id is null';
const COUNT = `select count(*)::integer as held from risk_list_entries where ${OF_FEED} and removed_at is null`;
const REMOVE = `
  with gone as (
    update risk_list_entries e set removed_at = now(), removed_by = $5, removed_because = 'no longer in the feed'
     where ${OF_FEED} and removed_at is null and not exists (select from unnest($4::text[]) v where v = e.value) returning 1
  )
  select count(*)::integer as changed from gone`;
const PROLONG = `update risk_list_entries set expires_at = $4 where ${OF_FEED} and removed_at is null and expires_at is distinct from $4`;
const ADD = `
  with made as (
    insert into risk_list_entries (id, list, kind, source, value, reason, expires_at, created_by)
    select new_id('rle'), $1, $2, $3, v, 'in the feed ' || $3, $6, $5 from unnest($4::text[]) v
     where not exists (select from risk_list_entries e where e.subject = $2 || ' ' || v and e.list = $1 and e.source = $3
                          and e.client_id is null and e.removed_at is null)
    returning 1
  )
  select count(*)::integer as changed from made`;
/** What was taken off is of use while somebody may ask why a payment was stopped; feeds that change daily would fill the disk. */
const FORGET = `delete from risk_list_entries where ${OF_FEED} and removed_at < now() - interval '90 days'`;

/** Takes a feed as a whole: in one transaction its list becomes what the feed says now. */
@Injectable()
export class ImportFeed {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** 422 for a feed that is too large, 409 for one that is empty or has shrunk too much to be right. Imports of one feed take turns. */
  async import(order: FeedOrder): Promise<ImportObject> {
    const feed = await readFeed(order.kind, order.text).catch(refuseTooLarge);
    return this.unitOfWork.run((tx) => this.replace(tx, order, feed));
  }

  private async replace(tx: Tx, order: FeedOrder, feed: Feed): Promise<ImportObject> {
    const { list, kind, source } = order;
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('risk_lists ' || $1, 0))`, [`${list} ${kind} ${source}`]);
    if (!order.force) await refuseShrunk(tx, order, feed);
    const by = currentContext().actor?.id ?? null;
    const expiresAt = order.expiresInDays === undefined ? null : new Date(Date.now() + order.expiresInDays * DAY_MS);
    const [{ changed: removed }] = await tx.query<{ changed: number }>(REMOVE, [list, kind, source, feed.values, by]);
    await tx.query(PROLONG, [list, kind, source, expiresAt]);
    const added = await add(tx, order, feed.values, by, expiresAt);
    await tx.query(FORGET, [list, kind, source]);
    const figures = { added, kept: feed.values.length - added, removed, refused: feed.refused };
    await this.audit.record(tx, undefined, {
      kind: 'risk_list.imported', objectId: source, after: { list, kind, source, ...figures, from: order.from, forced: order.force },
    });
    const shown = { refused_lines: feed.refusedLines, expires_at: expiresAt?.toISOString() ?? null };
    return { object: 'risk_list_import', list, kind, source, ...figures, ...shown };
  }
}

async function add(tx: Tx, { list, kind, source }: FeedOrder, values: string[], by: string | null, expiresAt: Date | null): Promise<number> {
  let added = 0;
  for (let at = 0; at < values.length; at += AT_ONCE) {
    const [{ changed }] = await tx.query<{ changed: number }>(ADD, [list, kind, source, values.slice(at, at + AT_ONCE), by, expiresAt]);
    added += changed;
  }
  return added;
}

async function refuseShrunk(tx: Tx, { list, kind, source }: FeedOrder, { values, refused }: Feed): Promise<void> {
  if (values.length === 0) {
    const broken = refused > 0 ? ` ${refused} lines hold none of this kind.` : '';
    throw new Problem('state_conflict', `The feed holds no value.${broken} Ask with force if that is right.`);
  }
  const [{ held }] = await tx.query<{ held: number }>(COUNT, [list, kind, source]);
  if (values.length >= held * LEAST_LEFT) return;
  const detail = `The feed has shrunk from ${held} to ${values.length} values, which is seldom right. Ask with force if it is.`;
  throw new Problem('state_conflict', detail);
}

function refuseTooLarge(error: unknown): never {
  if (!(error instanceof FeedTooLargeError)) throw error;
  throw new ValidationProblem([{ field: 'content', code: 'too_big', message: error.message }]);
}
