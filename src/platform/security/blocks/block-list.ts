import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { UnitOfWork } from '../../database/unit-of-work';
import { Sweeper } from '../../jobs/sweeper';
import { type Block, blockFromRow, type BlockRow, stateOf } from './block';
import { addressOf, holds, type Network, networkOf, readNetwork } from './networks';

const EVERY_MS = 1_000;
/**
 * A change carries the time at which it was written, not the later one of its commit. A statement and a pause within a transaction
 * end after 15 s each (see data-source.ts), so nothing appears with a time further back than this.
 */
const OVERLAP_MS = 90_000;
/** So long after a person let a network go, the refusals from before may still be in its window; they block nobody again. */
const RELEASE_GRACE_MS = 5 * 60_000;
const TIDY_MS = 60_000;

/** The time of the database comes with every answer, also with an empty one. */
const READ = 'select t.at, b.* from (select statement_timestamp() as at) t left join ip_blocks b on';
const IN_FORCE = `${READ} (b.released_at is null or b.released_at > $1) and (b.expires_at is null or b.expires_at > $1)`;
const CHANGED = `${READ} b.changed_at > $1`;

type ReadRow = { at: Date } & (BlockRow | { id: null });

/**
 * The blocks and allows in force, in memory: asking costs no round trip. Read at start, then each second only what has changed, so
 * that a change on one instance holds on all within two. A block ends by itself at its time, also while the database is away.
 */
@Injectable()
export class BlockList implements OnApplicationBootstrap {
  private readonly blocks = new Map<string, Block>();
  /** Single addresses and households by their text; networks of any other size one by one. */
  private readonly exact = new Map<string, Set<string>>();
  private readonly ranges = new Map<string, Network>();
  private readSince?: Date;
  private tidiedAtMs = 0;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sweeper: Sweeper,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.refresh();
    this.sweeper.every('ip_blocks.refresh', EVERY_MS, () => this.refresh());
  }

  /** The block that shuts an address out now, the longest of several; undefined where there is none or an allow covers it. */
  blockOf(ip: string): Block | undefined {
    const active = this.covering(ip).filter((block) => stateOf(block) === 'active');
    if (active.some(({ kind }) => kind === 'allow')) return undefined;
    return active.toSorted((one, other) => endOf(other) - endOf(one))[0];
  }

  /** Whether an address needs no block of the gateway's own: it is blocked or allowed already, or a person has just let it go. */
  isSettled(ip: string): boolean {
    const graceEndedMs = Date.now() - RELEASE_GRACE_MS;
    return this.covering(ip).some((block) => {
      const isReleasedBlock = block.kind === 'block' && block.releasedAt !== null;
      return stateOf(block) === 'active' || (isReleasedBlock && block.releasedAt!.getTime() > graceEndedMs);
    });
  }

  /** Takes in a block as it was stored, new or changed. What is older than what is known here changes nothing. */
  take(block: Block): void {
    const known = this.blocks.get(block.id);
    if (known && known.changedAt > block.changedAt) return;
    this.blocks.set(block.id, block);
    if (known) return;
    const network = readNetwork(block.network);
    if (isExact(block)) this.exact.set(block.network, (this.exact.get(block.network) ?? new Set()).add(block.id));
    else if (network) this.ranges.set(block.id, network);
  }

  /** Reads what has changed. Answers that there is no more: the next second looks again. */
  async refresh(): Promise<boolean> {
    this.tidy();
    const rows = this.readSince
      ? await this.unitOfWork.read<ReadRow>('changed_ip_blocks', CHANGED, [this.readSince])
      : await this.unitOfWork.read<ReadRow>('', IN_FORCE, [new Date(Date.now() - RELEASE_GRACE_MS)]);
    for (const row of rows) if (row.id !== null) this.take(blockFromRow(row));
    this.readSince = new Date(rows[0].at.getTime() - OVERLAP_MS);
    return false;
  }

  private covering(ip: string): Block[] {
    if (this.blocks.size === 0) return [];
    const address = addressOf(ip);
    if (!address) return [];
    const ids = new Set<string>();
    for (const name of [address.toString(), networkOf(ip)!]) for (const id of this.exact.get(name) ?? []) ids.add(id);
    for (const [id, network] of this.ranges) if (holds(network, address)) ids.add(id);
    return [...ids].flatMap((id) => this.blocks.get(id) ?? []);
  }

  /** Forgets what has ended. What was released stays for its grace, which also keeps an older reading from bringing it back. */
  private tidy(): void {
    const now = Date.now();
    if (now - this.tidiedAtMs < TIDY_MS) return;
    this.tidiedAtMs = now;
    for (const block of this.blocks.values()) {
      const endedMs = Math.min(block.releasedAt?.getTime() ?? Infinity, endOf(block));
      if (endedMs < now - RELEASE_GRACE_MS) this.forget(block);
    }
  }

  private forget({ id, network }: Block): void {
    this.blocks.delete(id);
    this.ranges.delete(id);
    const ids = this.exact.get(network);
    ids?.delete(id);
    if (ids?.size === 0) this.exact.delete(network);
  }
}

function endOf({ expiresAt }: Block): number {
  return expiresAt?.getTime() ?? Infinity;
}

function isExact({ network }: Block): boolean {
  return !network.includes('/') || (network.includes(':') && network.endsWith('/64'));
}
