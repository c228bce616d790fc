import type { BookAccess, SessionAccess } from '../http/request-context';

/** A session as it stands in the book, and the client's two books when its person belongs to one. */
export interface SessionRecord {
  session: SessionAccess;
  client?: {
    status: 'active' | 'suspended' | 'closed';
    liveEnabled: boolean;
    test: BookAccess;
    live: BookAccess;
  };
}

/** Finds sessions by access token; the auth room registers itself here. */
export interface SessionDirectory {
  /** From memory, when the session was read in the last two seconds: good enough to read with. */
  cached(token: string): SessionRecord | undefined;
  /** From the database, in one query; `expired` for a token that was ours, undefined for one that opens nothing. */
  find(token: string): Promise<SessionRecord | 'expired' | undefined>;
  /** Notes that a session was used; costs no write now. */
  used(session: SessionAccess, ip: string | undefined): void;
}
export const SESSION_DIRECTORY = Symbol('SESSION_DIRECTORY');
