import { networkText, readNetwork } from './networks';

export const BLOCK_STATES = ['active', 'released', 'expired'] as const;
export type BlockState = (typeof BLOCK_STATES)[number];
export type BlockKind = 'block' | 'allow';

/** A network that is shut out, or that never is. */
export interface Block {
  id: string;
  /** As `networkText` writes it. */
  network: string;
  kind: BlockKind;
  /** 0: set by a person. 1 to 4: set by the gateway, longer each time. */
  level: number;
  reason: string;
  /** Who set it; null for the gateway itself. */
  createdBy: string | null;
  createdAt: Date;
  /** When it ends by itself; null = never. */
  expiresAt: Date | null;
  releasedAt: Date | null;
  releasedBy: string | null;
  changedAt: Date;
}

/** A block as it is stored. */
export interface BlockRow {
  id: string;
  network: string;
  kind: BlockKind;
  level: number;
  reason: string;
  created_by: string | null;
  created_at: Date;
  expires_at: Date | null;
  released_at: Date | null;
  released_by: string | null;
  changed_at: Date;
}

/** Reads a stored block. PostgreSQL writes some networks that no caller comes from in a form of its own (`::1.2.3.4`); they stay so. */
export function blockFromRow(row: BlockRow): Block {
  const network = readNetwork(row.network);
  return {
    id: row.id,
    network: network ? networkText(network) : row.network,
    kind: row.kind,
    level: row.level,
    reason: row.reason,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    releasedAt: row.released_at,
    releasedBy: row.released_by,
    changedAt: row.changed_at,
  };
}

/** Where a block stands at a time: what was released stays released when its time would have come. */
export function stateOf({ releasedAt, expiresAt }: Pick<Block, 'releasedAt' | 'expiresAt'>, nowMs = Date.now()): BlockState {
  if (releasedAt) return 'released';
  return expiresAt && expiresAt.getTime() <= nowMs ? 'expired' : 'active';
}

/** A block as the API and the audit log show it. */
export function presentBlock(block: Block) {
  return {
    id: block.id,
    object: 'ip_block' as const,
    address: block.network,
    kind: block.kind,
    state: stateOf(block),
    level: block.level,
    reason: block.reason,
    created_by: block.createdBy,
    created_at: block.createdAt.toISOString(),
    expires_at: block.expiresAt?.toISOString() ?? null,
    released_at: block.releasedAt?.toISOString() ?? null,
    released_by: block.releasedBy,
  };
}
