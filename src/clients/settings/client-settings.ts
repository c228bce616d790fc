import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentAccess } from '../../platform/http/request-context';
import { ClientSettingsSections, type SettingsBySection } from './client-settings-sections';
import { type ClientSettingsObject, presentSettings } from './settings.dto';

/** The column of each book's settings: what is tried out with a test key never changes the live book. */
const columnOf = (livemode: boolean) => (livemode ? 'live_settings' : 'test_settings');

/** A client's own decisions about how the gateway treats it, for the book of the caller's mode. */
@Injectable()
export class ClientSettings {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sections: ClientSettingsSections,
    private readonly audit: AuditLog,
  ) {}

  /** The settings in force, defaults included. */
  async get(): Promise<ClientSettingsObject> {
    const { clientId, livemode } = currentAccess();
    const column = columnOf(livemode);
    const [row] = await this.unitOfWork.read<{ settings: Record<string, unknown> }>(
      `get_${column}`, `select ${column} as settings from clients where id = $1`, [clientId],
    );
    return presentSettings(this.sections.complete(row.settings));
  }

  /**
   * Changes the named fields and leaves the others. The client's revision grows, so that whatever is being decided on the old
   * settings is decided again on the new ones.
   */
  change(change: SettingsBySection): Promise<ClientSettingsObject> {
    return this.unitOfWork.run(async (tx) => {
      const { clientId, livemode } = currentAccess();
      const column = columnOf(livemode);
      const [row] = await tx.query<{ settings: Record<string, unknown> }>(
        `select ${column} as settings from clients where id = $1 for no key update`, [clientId],
      );
      const merged = this.sections.merge(row.settings, change);
      const [before, after] = [this.sections.complete(row.settings), this.sections.complete(merged)];
      if (!isDeepStrictEqual(row.settings, merged)) {
        await tx.query(`update clients set ${column} = $2, revision = revision + 1, updated_at = now() where id = $1`, [
          clientId, JSON.stringify(merged),
        ]);
        await this.audit.record(tx, { clientId, livemode }, { kind: 'client.settings_changed', objectId: clientId, before, after });
      }
      return presentSettings(after);
    });
  }
}
