import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../platform/http/pagination';
import { AREAS, type ListSwitchesQuery, presentSwitch, type SwitchObject, type SwitchRow } from './switches.dto';

/** Both areas, whether or not they were ever paused, and every client that ever was. Walks the primary key. */
const SWITCHES = `
  select a.id, coalesce(s.paused, false) as paused, s.reason, s.changed_by, s.changed_at
    from (select unnest($1::text[]) collate "C" as id) a left join switches s on s.id = a.id
  union all
  select c.id, c.paused, c.reason, c.changed_by, c.changed_at from switches c where c.id <> all ($1)`;

/** Reads the switches for staff. */
@Injectable()
export class SwitchReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** A page: the areas first, then the clients, the newest client first. */
  async list(page: ListSwitchesQuery): Promise<Page<SwitchObject>> {
    const clause = keyset('cli', {}, page);
    const shifted = clause.sql.replace(/\$(\d+)/g, (_, at) => `$${Number(at) + 1}`);
    const rows = await this.unitOfWork.read<SwitchRow>('', `select * from (${SWITCHES}) s ${shifted}`, [AREAS, ...clause.values]);
    return toPage(rows, page, presentSwitch);
  }
}
