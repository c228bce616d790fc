import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import type { Client } from '../client.entity';
import { BookSettings } from '../settings/book-settings';
import { ClientSettingsSections, type SettingsBySection } from '../settings/client-settings-sections';
import type { AdminClientSettingsObject, ChangeClientSettingsBody } from './admin-client-settings.dto';

type SettingsRow = Pick<Client, 'status' | 'liveSettings' | 'testSettings'>;

const FIND = 'select status, live_settings as "liveSettings", test_settings as "testSettings" from clients where id = $1';

/** The settings of any client in both of its books, for staff, who change what is the operator's to set. */
@Injectable()
export class AdminClientSettings {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sections: ClientSettingsSections,
    private readonly books: BookSettings,
  ) {}

  /** The settings in force, defaults included. */
  async get(id: string): Promise<AdminClientSettingsObject> {
    const [row] = await this.unitOfWork.read<SettingsRow>('get_client_settings', FIND, [id]);
    return this.present(id, row);
  }

  /** Changes the named fields. 422 for what is the client's own to set, 409 for a closed client: closing is final. */
  change(id: string, { reason, live, test }: ChangeClientSettingsBody): Promise<AdminClientSettingsObject> {
    return this.unitOfWork.run(async (tx) => {
      const [client] = await tx.query<SettingsRow>(`${FIND} for no key update`, [id]);
      if (client?.status === 'closed') throw new Problem('state_conflict', 'This client is closed for good. Create a new one instead.');
      const changeBook = (livemode: boolean, change: SettingsBySection, at: string[]) =>
        this.books.change(tx, { clientId: id, livemode }, { change, by: 'operator', at, reason });
      if (live) await changeBook(true, live, ['live']);
      if (test) await changeBook(false, test, ['test']);
      const [after] = await tx.query<SettingsRow>(FIND, [id]);
      return this.present(id, after);
    });
  }

  private present(id: string, row: SettingsRow | undefined): AdminClientSettingsObject {
    if (!row) throw new NotFoundProblem('client');
    return {
      id,
      object: 'client_settings',
      live: this.sections.complete(row.liveSettings, true),
      test: this.sections.complete(row.testSettings, false),
    };
  }
}
