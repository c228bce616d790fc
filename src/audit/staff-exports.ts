import { Injectable, type StreamableFile } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { type ExportedList, exportList } from '../platform/http/csv-export';
import type { PageQuery } from '../platform/http/pagination';
import { AuditLog } from './audit-log';

/** Lists across clients that staff take away whole: each time the audit log says who took what, and by which filters. */
@Injectable()
export class StaffExports {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /**
   * The list as a CSV file, oldest first; `export.created` is recorded before the first line is sent.
   * @throws ValidationProblem for a cursor
   */
  async export<Row extends { id: string }, T extends object>(list: ExportedList<Row, T>, query: PageQuery): Promise<StreamableFile> {
    const file = exportList(list, query);
    const { limit: _limit, ...filters } = query;
    const change = { kind: 'export.created', objectId: list.name, after: { filters } };
    await this.unitOfWork.run((tx) => this.audit.record(tx, undefined, change));
    return file;
  }
}
