import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../config/settings';
import { type Tx, UnitOfWork } from '../../database/unit-of-work';
import { currentContext, runInContext } from '../../http/request-context';
import { newId } from '../../identifiers';
import { Metrics } from '../../observability/metrics';
import { AUDIT_TRAIL, type AuditTrail } from '../audit-trail';
import { SECURITY_EVENTS, type SecurityEvents } from '../security-events';
import { type Block, blockFromRow, type BlockRow, presentBlock, stateOf } from './block';
import { BlockList } from './block-list';
import { networkOf } from './networks';

const MINUTE_SECONDS = 60;
const DAY_SECONDS = 86_400;
/** How long the first, second, third and every further block of a network lasts. */
const SECONDS_BY_LEVEL = [15 * MINUTE_SECONDS, 60 * MINUTE_SECONDS, DAY_SECONDS, 7 * DAY_SECONDS] as const;
/** A network that behaved for so long after its last block starts anew. */
const FORGIVEN_AFTER_MS = 30 * DAY_SECONDS * 1000;

const EARLIER = `select * from ip_blocks where network = $1 and kind = 'block' and coalesce(released_at, expires_at, 'infinity') > $2`;
const INSERT = `
  insert into ip_blocks (id, network, kind, level, reason, created_at, expires_at) values ($1, $2, 'block', $3, $4, $5, $6) returning *`;

/** What makes the gateway block an address by itself. */
export type BlockCause = 'refusals' | 'staff_logins';

/** Changes to one network take turns, on all instances. */
export async function lockNetwork(tx: Tx, network: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('ip_blocks ' || $1, 0))`, [network]);
}

/** Blocks the address of a caller that has gone too far: 15 minutes, then 1 hour, 24 hours and 7 days for repeaters. */
@Injectable()
export class AddressBlocker {
  private readonly underWay = new Map<string, Promise<void>>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly list: BlockList,
    @Inject(AUDIT_TRAIL) private readonly audit: AuditTrail,
    @Inject(SECURITY_EVENTS) private readonly events: SecurityEvents,
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Blocks the network of an address at once, on this instance before it answers and on all within two seconds. However many ask at
   * the same time, it is one block. Does nothing for an address that is blocked or allowed already or that a person let go in the last
   * five minutes, nor for a call from this machine itself. `reason` is for people, up to 500 characters.
   */
  async block(ip: string, cause: BlockCause, reason: string): Promise<void> {
    const network = networkOf(ip);
    if (!network || currentContext().fromThisMachine || this.list.isSettled(ip)) return;
    let making = this.underWay.get(network);
    if (!making) {
      making = this.make(network, cause, reason).finally(() => this.underWay.delete(network));
      this.underWay.set(network, making);
    }
    await making;
  }

  /** The gateway itself acts here, whoever the caller is: neither its key nor its claim belongs to this transaction. */
  private make(network: string, cause: BlockCause, reason: string): Promise<void> {
    const { requestId, ip, userAgent, apiVersion, method, route, startedAt } = currentContext();
    const actor = { type: 'system' as const, id: 'abuse_protection' };
    const context = { requestId, ip, userAgent, apiVersion, method, route, startedAt, actor };
    return runInContext(context, async () => {
      const { block, isNew } = await this.unitOfWork.run((tx) => this.store(tx, network, reason));
      this.list.take(block);
      if (!isNew) return;
      this.metrics.increment('cpgateway_address_blocks_total', { cause });
      await this.tell(block);
    });
  }

  private async store(tx: Tx, network: string, reason: string): Promise<{ block: Block; isNew: boolean }> {
    await lockNetwork(tx, network);
    const now = Date.now();
    const earlier = (await tx.query<BlockRow>(EARLIER, [network, new Date(now - FORGIVEN_AFTER_MS)])).map(blockFromRow);
    const active = earlier.find((block) => stateOf(block, now) === 'active');
    if (active) return { block: active, isNew: false };
    // Each block of a network is of the level after the one before it, so that the highest is the last.
    const level = Math.min(SECONDS_BY_LEVEL.length, 1 + Math.max(0, ...earlier.map((block) => block.level)));
    const expiresAt = new Date(now + SECONDS_BY_LEVEL[level - 1] * 1000);
    const [row] = await tx.query<BlockRow>(INSERT, [newId('blk', now), network, level, reason, new Date(now), expiresAt]);
    const block = blockFromRow(row);
    await this.audit.record(tx, undefined, { kind: 'ip.blocked', objectId: block.id, after: presentBlock(block) });
    return { block, isNew: true };
  }

  private async tell({ id, network, level, reason, expiresAt }: Block): Promise<void> {
    const { ip, userAgent, method, route } = currentContext();
    const seconds = SECONDS_BY_LEVEL[level - 1];
    await this.events.write({
      kind: 'ip.blocked',
      severity: 'high',
      source: network,
      route: `${method} ${route ?? 'unknown'}`,
      userAgent,
      action: this.settings.securityEnabled ? `blocked for ${seconds} s` : `would be blocked for ${seconds} s; SECURITY_ENABLED is false`,
      details: { ip, block: id, level, reason, expires_at: expiresAt?.toISOString() },
    });
  }
}
