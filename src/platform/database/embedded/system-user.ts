import { readFile } from 'node:fs/promises';
import { EmbeddedPostgresError, OWN_SERVER } from './embedded-postgres-error';
import type { Account } from './processes';

/** Accounts without rights of their own, best first. */
const CANDIDATES = ['postgres', 'nobody', 'daemon'];

/** The accounts of a passwd file (passwd(5)) that are not root. */
function readAccounts(passwd: string): Account[] {
  return passwd
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ name, uid, gid }) => name !== '' && uid > 0 && Number.isSafeInteger(uid) && gid >= 0 && Number.isSafeInteger(gid));
}

/**
 * Chooses whom the server runs as, when we are root: PostgreSQL refuses to run as root, and wants an account that is listed.
 * A cluster that exists goes on under the account that owns it, so that one start by root does not take it away from its owner.
 * @param ownerUid who owns the existing cluster, if there is one.
 * @throws EmbeddedPostgresError when the file lists no account that would do.
 */
export async function chooseAccount(passwdFile: string, ownerUid: number | undefined): Promise<Account> {
  const accounts = readAccounts(await readFile(passwdFile, 'utf8').catch(() => ''));
  const candidates = CANDIDATES.map((name) => accounts.find((account) => account.name === name));
  const chosen = accounts.find(({ uid }) => uid === ownerUid) ?? candidates.find((account) => account !== undefined);
  if (chosen) return chosen;
  throw new EmbeddedPostgresError(
    `The embedded PostgreSQL must not run as root, and ${passwdFile} lists none of the users that it could run as ` +
      `(${CANDIDATES.join(', ')}). Create a user "postgres", start CPGateway as an ordinary user, or ${OWN_SERVER}.`,
  );
}
