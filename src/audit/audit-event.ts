import { currentContext } from '../platform/http/request-context';
import { newId } from '../platform/identifiers';
import { maskSecrets, shownUserAgent } from '../platform/security/crypto/masking';

/** What the audit log keeps of a change: what it was, on which object, and the object before and after, masked. */
export interface AuditedChange {
  /** For example `payment.created`. */
  kind: string;
  objectId: string;
  before?: object;
  after?: object;
}

/** Whose log an event stands in: a client's, in one mode or in both. */
export interface AuditedBook {
  clientId: string;
  livemode?: boolean;
}

/** Audit events of the current actor as the SQL function write_audit takes them. */
export function auditParameter(book: AuditedBook | undefined, changes: readonly AuditedChange[]): string {
  const { actor, ip, userAgent, requestId, apiVersion } = currentContext();
  return JSON.stringify(
    changes.map(({ kind, objectId, before, after }) => ({
      id: newId('aud'),
      client_id: book?.clientId,
      livemode: book?.livemode,
      kind,
      actor_type: actor?.type ?? 'system',
      actor_id: actor?.id,
      object_id: objectId,
      ip,
      user_agent: shownUserAgent(userAgent),
      request_id: requestId,
      api_version: apiVersion,
      before: before && maskSecrets(before),
      after: after && maskSecrets(after),
    })),
  );
}
