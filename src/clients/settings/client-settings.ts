import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentAccess } from '../../platform/http/request-context';
import { BookSettings, settingsColumn } from './book-settings';
import { ClientSettingsSections, type SettingsBySection } from './client-settings-sections';
import { type ClientSettingsObject, presentSettings } from './settings.dto';

/** A client's own decisions about how the gateway treats it, for the book of the caller's mode. */
@Injectable()
export class ClientSettings {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sections: ClientSettingsSections,
    private readonly books: BookSettings,
  ) {}

  /** The settings in force, defaults and what the operator has set included. */
  async get(): Promise<ClientSettingsObject> {
    const { clientId, livemode } = currentAccess();
    const column = settingsColumn(livemode);
    const [row] = await this.unitOfWork.read<{ settings: Record<string, unknown> }>(
      `get_${column}`, `select ${column} as settings from clients where id = $1`, [clientId],
    );
    return presentSettings(this.sections.complete(row.settings, livemode));
  }

  /** Changes the named fields and leaves the others. 422 for what is the operator's to set. */
  change(change: SettingsBySection): Promise<ClientSettingsObject> {
    return this.unitOfWork.run(async (tx) => presentSettings(await this.books.change(tx, currentAccess(), { change, by: 'client' })));
  }
}
