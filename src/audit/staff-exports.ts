import { Injectable, type StreamableFile } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { type ExportedList, exportList } from '../platform/http/csv-export';
import type { PageQuery } from '../platform/http/pagination';
import { currentContext } from '../platform/http/request-context';
import { AuditLog } from './audit-log';
import { SecurityLog } from './security-log';

/** Lists across clients that staff take away whole: each time the audit log says who took what, and by which filters. */
@Injectable()
export class StaffExports {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
    private readonly securityLog: SecurityLog,
  ) {}

  /**
   * The list as a CSV file, oldest first; `export.created` is recorded before the first line is sent, and `data.exported` told, because
   * data of all clients leaves here.
   * @throws ValidationProblem for a cursor
   */
  async export<Row extends { id: string }, T extends object>(list: ExportedList<Row, T>, query: PageQuery): Promise<StreamableFile> {
    const file = exportList(list, query);
    const { limit: _limit, ...filters } = query;
    const change = { kind: 'export.created', objectId: list.name, after: { filters } };
    await this.unitOfWork.run((tx) => this.audit.record(tx, undefined, change));
    await this.tell(list.name);
    return file;
  }

  private tell(list: string): Promise<void> {
    const { actor, ip, userAgent, method, route } = currentContext();
    return this.securityLog.write({
      kind: 'data.exported', severity: 'medium', source: actor?.id ?? 'unknown', actorId: actor?.id, route: `${method} ${route}`, userAgent,
      action: 'allowed and recorded', details: { ip, list },
    });
  }
}
