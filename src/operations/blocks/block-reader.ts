import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../platform/http/pagination';
import { blockFromRow, type BlockRow, presentBlock } from '../../platform/security/blocks/block';
import type { BlockObject, ListBlocksQuery } from './blocks.dto';

/** Reads blocks and allows as they are stored. */
@Injectable()
export class BlockReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** A page of those in the given state, newest first. */
  async list({ state, ...page }: ListBlocksQuery): Promise<Page<BlockObject>> {
    const clause = keyset('blk', { state }, page);
    // The gateway's clock, which also set the end: what is listed as active is what is refused.
    const stated = `select *, case when released_at is not null then 'released'
                                   when expires_at <= $${clause.values.length + 1} then 'expired'
                                   else 'active' end as state from ip_blocks`;
    const rows = await this.unitOfWork.read<BlockRow>('', `select * from (${stated}) b ${clause.sql}`, [...clause.values, new Date()]);
    return toPage(rows, page, (row) => presentBlock(blockFromRow(row)));
  }
}
