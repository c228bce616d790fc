import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../platform/http/pagination';
import { ENTRY_COLUMNS, type ListEntryObject, type ListEntryRow, presentEntry } from './list-entry';
import { readListValue } from './list-values';
import type { ListEntriesQuery } from './lists.dto';

/** Reads the lists for staff. */
@Injectable()
export class ListReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** A page of those in the given state, newest first. */
  async list({ list, kind, value, address, source, client, state, ...page }: ListEntriesQuery): Promise<Page<ListEntryObject>> {
    const subject = value && kind ? `${kind} ${readListValue(kind, value).value ?? value}` : undefined;
    const equalities = { subject, list, kind, source, client_id: client, state };
    // What is an address was read strictly, so nothing else can stand in the condition.
    const conditions = [...(address ? [`network >>= '${address}'`] : []), ...(state === 'removed' ? [] : ['removed_at is null'])];
    const clause = keyset('rle', equalities, page, conditions.join(' and '));
    const stated = `select ${ENTRY_COLUMNS}, subject, network from risk_list_entries`;
    const rows = await this.unitOfWork.read<ListEntryRow & { subject: string; network: string | null }>(
      '', `select * from (${stated}) e ${clause.sql}`, clause.values,
    );
    return toPage(rows, page, ({ subject: _subject, network: _network, ...row }) => presentEntry(row));
  }
}
