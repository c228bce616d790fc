import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { newId } from '../../platform/identifiers';
import { Metrics } from '../../platform/observability/metrics';
import { lockNetwork } from '../../platform/security/blocks/address-blocker';
import { type Block, blockFromRow, type BlockRow, presentBlock } from '../../platform/security/blocks/block';
import { BlockList } from '../../platform/security/blocks/block-list';
import { addressOf, holds, overlap, readNetwork } from '../../platform/security/blocks/networks';
import type { BlockObject, CreateBlockBody } from './blocks.dto';

const DEFAULT_SECONDS = 3600;
/** Wider ones hold whole countries: more likely a slip of the hand than an attacker. */
const WIDEST = { ipv4: 8, ipv6: 24 } as const;
const LOOPBACK = ['127.0.0.0/8', '::1'].map((text) => readNetwork(text)!);

/** Blocks a network, or sees to it that it is never blocked. Holds on this instance at once and on all within two seconds. */
@Injectable()
export class CreateBlock {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly list: BlockList,
    private readonly audit: AuditLog,
    private readonly metrics: Metrics,
  ) {}

  /** 409 for what would shut out too much: a very wide network, this machine, the caller; and for what is in force already. */
  async create(body: CreateBlockBody): Promise<BlockObject> {
    refuseTooMuch(body, currentContext().ip);
    let block: Block | undefined;
    const answer = await this.unitOfWork.run(async (tx) => presentBlock((block = await this.store(tx, body))));
    this.list.take(block!);
    if (body.kind === 'block') this.metrics.increment('cpgateway_address_blocks_total', { cause: 'person' });
    return answer;
  }

  private async store(tx: Tx, { address, kind, reason, seconds }: CreateBlockBody): Promise<Block> {
    await lockNetwork(tx, address);
    const now = new Date();
    await refuseSecond(tx, address, kind, now);
    const lasting = seconds ?? (kind === 'block' ? DEFAULT_SECONDS : undefined);
    const expiresAt = lasting === undefined ? null : new Date(now.getTime() + lasting * 1000);
    const [row] = await tx.query<BlockRow>(
      `insert into ip_blocks (id, network, kind, reason, created_by, created_at, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7) returning *`,
      [newId('blk', now.getTime()), address, kind, reason, currentContext().actor?.id, now, expiresAt],
    );
    const block = blockFromRow(row);
    await this.audit.record(tx, undefined, { kind: 'ip_block.created', objectId: block.id, after: presentBlock(block) });
    return block;
  }
}

/** Two for the same network would make the release of one do nothing. */
async function refuseSecond(tx: Tx, address: string, kind: Block['kind'], now: Date): Promise<void> {
  const [known] = await tx.query<BlockRow>(
    `select * from ip_blocks where network = $1 and kind = $2 and released_at is null and (expires_at is null or expires_at > $3) limit 1`,
    [address, kind, now],
  );
  if (!known) return;
  const held = kind === 'block' ? 'blocked' : 'allowed';
  const until = known.expires_at ? `until ${known.expires_at.toISOString()}` : 'until it is released';
  throw new Problem('state_conflict', `${address} is ${held} ${until} already. Release ${known.id} first.`);
}

function refuseTooMuch({ address, kind }: CreateBlockBody, callerIp: string | undefined): void {
  const network = readNetwork(address)!;
  const widest = WIDEST[network.base.kind()];
  if (network.bits < widest) throw new Problem('state_conflict', `${address} is too wide. Name networks of /${widest} or smaller.`);
  if (kind === 'allow') return;
  if (LOOPBACK.some((loopback) => overlap(loopback, network))) {
    throw new Problem('state_conflict', `${address} holds loopback addresses, from which this machine itself calls.`);
  }
  const caller = callerIp === undefined ? undefined : addressOf(callerIp);
  if (caller && holds(network, caller)) {
    throw new Problem('state_conflict', `${address} holds your own address, ${callerIp}. You would shut yourself out.`);
  }
}
