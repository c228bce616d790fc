import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { SETTINGS, type Settings } from '../../platform/config/settings';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import type { Problem } from '../../platform/http/problem';
import { currentAccess } from '../../platform/http/request-context';
import type { OutboundPolicy } from '../../platform/security/network/outbound-url';
import { refusalOfUrl } from '../../platform/security/network/url-refusal';
import { type Branding, type BrandingObject, type ChangeBrandingBody, completeBranding, presentBranding } from './branding.dto';

interface BrandingRow {
  branding: Partial<Branding>;
}

const URL_FIELDS = ['logo_url', 'support_url'] as const;

/** How a client looks to its payers; the same in both of its books. */
@Injectable()
export class ClientBranding {
  private readonly urls: OutboundPolicy;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
    @Inject(SETTINGS) settings: Settings,
  ) {
    // Payers' browsers load them into a page of ours, so plain http is refused everywhere.
    this.urls = { httpsOnly: true, allowPrivateNetworks: settings.webhooksAllowPrivateNetworks };
  }

  /** The branding in force. */
  async get(): Promise<BrandingObject> {
    const [row] = await this.unitOfWork.read<BrandingRow>(
      'get_branding', 'select branding from clients where id = $1', [currentAccess().clientId],
    );
    return presentBranding(completeBranding(row.branding));
  }

  /** Changes the named fields, clears those that are null and leaves the others. 422 for an address that nobody may be sent to. */
  async change(change: ChangeBrandingBody): Promise<BrandingObject> {
    const refusal = await this.refusalOf(change);
    return this.unitOfWork.run(async (tx) => {
      if (refusal) throw refusal;
      const { clientId } = currentAccess();
      const [row] = await tx.query<BrandingRow>('select branding from clients where id = $1 for no key update', [clientId]);
      const before = completeBranding(row.branding);
      const after = { ...before, ...change };
      if (!isDeepStrictEqual(before, after)) {
        await tx.query('update clients set branding = $2, revision = revision + 1, updated_at = now() where id = $1', [
          clientId, JSON.stringify(after),
        ]);
        await this.audit.record(tx, { clientId }, { kind: 'client.branding_changed', objectId: clientId, before, after });
      }
      return presentBranding(after);
    });
  }

  private async refusalOf(change: ChangeBrandingBody): Promise<Problem | undefined> {
    for (const field of URL_FIELDS) {
      const url = change[field];
      const refusal = url === null || url === undefined ? undefined : await refusalOfUrl(url, this.urls, field);
      if (refusal) return refusal;
    }
    return undefined;
  }
}
