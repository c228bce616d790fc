import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import type { Tx } from '../../platform/database/unit-of-work';
import { NotFoundProblem } from '../../platform/http/problem';
import type { Book } from '../../platform/outbox/outbox';
import { ClientSettingsSections, type SettingsAuthor, type SettingsBySection } from './client-settings-sections';

/** A change of one book's settings. */
export interface SettingsChange {
  change: SettingsBySection;
  by: SettingsAuthor;
  /** Where in the request the sections stand, for the names of fields that are refused. */
  at?: string[];
  /** Why, for the change history of staff. */
  reason?: string;
}

/** The column of each book's settings: what is tried out in the test book never changes the live one. */
export const settingsColumn = (livemode: boolean): string => (livemode ? 'live_settings' : 'test_settings');

/** What the history calls it; clients do not see which of the operator's people it was. */
const KINDS: Readonly<Record<SettingsAuthor, string>> = {
  client: 'client.settings_changed', operator: 'client.operator_settings_changed',
};

/** Changes the settings of a book inside a transaction, whoever asks. */
@Injectable()
export class BookSettings {
  constructor(
    private readonly sections: ClientSettingsSections,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Changes the named fields, leaves the others, and answers the settings in force. The client's revision grows, so that whatever is
   * being decided on the old settings is decided again on the new ones. Nothing is written when nothing differs.
   */
  async change(tx: Tx, { clientId, livemode }: Book, { change, by, at, reason }: SettingsChange): Promise<SettingsBySection> {
    const column = settingsColumn(livemode);
    const [row] = await tx.query<{ settings: Record<string, unknown> }>(
      `select ${column} as settings from clients where id = $1 for no key update`, [clientId],
    );
    if (!row) throw new NotFoundProblem('client');
    const merged = this.sections.merge(row.settings, change, { livemode, by, at });
    const [before, after] = [row.settings, merged].map((settings) => this.sections.complete(settings, livemode));
    if (!isDeepStrictEqual(row.settings, merged)) {
      await tx.query(`update clients set ${column} = $2, revision = revision + 1, updated_at = now() where id = $1`, [
        clientId, JSON.stringify(merged),
      ]);
      await this.audit.record(tx, { clientId, livemode }, {
        kind: KINDS[by], objectId: clientId, before, after: reason === undefined ? after : { ...after, reason },
      });
    }
    return after;
  }
}
