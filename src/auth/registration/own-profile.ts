import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, type PageQuery, toPage } from '../../platform/http/pagination';
import { currentSession } from '../../platform/http/request-context';
import type { ActivityObject, ProfileObject } from './registration.dto';

const PROFILE = `
  select p.referral_code as "referralCode", p.created_at as "createdAt",
         (select count(*)::int from people r where r.referred_by = p.id) as referrals
    from people p where p.id = $1`;

interface ActivityRow {
  id: string;
  kind: string;
  object_id: string | null;
  ip: string | null;
  user_agent: string | null;
  occurred_at: Date;
}

/** What the signed-in person may know of themselves. */
@Injectable()
export class OwnProfile {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  async get(): Promise<ProfileObject> {
    const { personId, email, role, clientId, twoFactorEnabled } = currentSession();
    const [row] = await this.unitOfWork.read<{ referralCode: string; createdAt: Date; referrals: number }>('get_profile', PROFILE, [personId]);
    return {
      id: personId,
      object: 'profile',
      email,
      role,
      client: clientId,
      two_factor_enabled: twoFactorEnabled,
      referral_code: row.referralCode,
      referrals: row.referrals,
      created_at: row.createdAt.toISOString(),
    };
  }

  /** What the person has done, newest first, as the audit log has it. */
  async activity(page: PageQuery): Promise<Page<ActivityObject>> {
    const clause = keyset('aud', { actor_id: currentSession().personId }, page);
    const rows = await this.unitOfWork.read<ActivityRow>(
      '', `select id, kind, object_id, ip, user_agent, occurred_at from audit_events ${clause.sql}`, clause.values,
    );
    return toPage(rows, page, (row) => ({
      id: row.id, object: 'activity', kind: row.kind, object_id: row.object_id, ip: row.ip, device: row.user_agent, at: row.occurred_at.toISOString(),
    }));
  }
}
