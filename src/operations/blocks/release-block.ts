import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { type Block, blockFromRow, type BlockRow, presentBlock, stateOf } from '../../platform/security/blocks/block';
import { BlockList } from '../../platform/security/blocks/block-list';

const END = `
  with ended as (
    update ip_blocks set released_at = $2, released_by = $3, changed_at = clock_timestamp() where id = $1 returning *
  )
  select * from ended`;

/** Ends a block or an allow before its time, on this instance at once and on all within two seconds. */
@Injectable()
export class ReleaseBlock {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly list: BlockList,
    private readonly audit: AuditLog,
  ) {}

  /** What has ended already stays as it is. 404 for what never was. */
  async release(id: string): Promise<void> {
    const released = await this.unitOfWork.run((tx) => this.end(tx, id));
    if (released) this.list.take(released);
  }

  private async end(tx: Tx, id: string): Promise<Block | undefined> {
    const [row] = await tx.query<BlockRow>('select * from ip_blocks where id = $1 for update', [id]);
    if (!row) throw new NotFoundProblem('block');
    const before = blockFromRow(row);
    if (stateOf(before) !== 'active') return undefined;
    const after = blockFromRow((await tx.query<BlockRow>(END, [id, new Date(), currentContext().actor?.id]))[0]);
    const change = { kind: 'ip_block.released', objectId: id, before: presentBlock(before), after: presentBlock(after) };
    await this.audit.record(tx, undefined, change);
    return after;
  }
}
