import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentSession } from '../../platform/http/request-context';
import { sha256Hex } from '../../platform/security/crypto/digests';
import { AccountMail } from '../account-mail';
import type { SigningKeyObject } from './people.dto';

const SET = `
  with before as (select signing_public_key as key from people where id = $1 for update), changed as (
    update people set signing_public_key = $2, updated_at = now() where id = $1 and exists (select 1 from before) returning updated_at)
  select b.key as "keyBefore", c.updated_at as "updatedAt" from before b, changed c`;

/** Keeps the public half of the key with which one of the staff signs decisions. The private half never comes here. */
@Injectable()
export class SigningKey {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
    private readonly mail: AccountMail,
  ) {}

  /** Replaces the signed-in person's key: 32 bytes in base64. What the old one signed and was not carried out is refused from now on. */
  set(publicKey: string): Promise<SigningKeyObject> {
    const { personId, email } = currentSession();
    return this.unitOfWork.run(async (tx) => {
      const [{ keyBefore, updatedAt }] = await tx.query<{ keyBefore: string | null; updatedAt: Date }>(SET, [personId, publicKey]);
      await this.audit.record(tx, undefined, {
        kind: 'signing_key.changed', objectId: personId,
        before: { fingerprint: fingerprintOf(keyBefore) }, after: { fingerprint: fingerprintOf(publicKey) },
      });
      await this.mail.signingKeyChanged(tx, email);
      return { object: 'signing_key', public_key: publicKey, updated_at: updatedAt.toISOString() };
    });
  }
}

/** Enough of a digest to tell keys apart; the audit log masks whatever is called a signing key. */
function fingerprintOf(publicKey: string | null): string | null {
  return publicKey && sha256Hex(Buffer.from(publicKey, 'base64')).slice(0, 32);
}
