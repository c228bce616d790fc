import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { StaffRole } from '../../src/platform/http/roles';
import type { Gateway } from './gateway';
import type { Answer } from './merchant';
import { type PersonOptions, staff, type TestPerson } from './people';

/** An object as it was shown to somebody who decides on it. */
export interface Shown {
  id: string;
  revision: number;
  amount: string;
  currency: string;
  destination: string;
}

/** What of a decision is sent otherwise than it should be. */
export interface Otherwise {
  body?: object;
  headers?: Record<string, string>;
  timestamp?: number;
  /** The words that are signed, where they are not those that are sent. */
  signed?: Partial<Shown>;
}

/** One of the staff with a signing key. The text is written here a second time on purpose: a mistake in ours must show. */
export class Signer {
  constructor(
    readonly person: TestPerson,
    readonly privateKey: KeyObject,
  ) {}

  headers(decision: string, shown: Shown, timestamp = Math.floor(Date.now() / 1000)): Record<string, string> {
    const text = [timestamp, decision, shown.id, shown.revision, shown.amount, shown.currency, shown.destination].join('\n');
    return { 'x-timestamp': String(timestamp), 'x-admin-signature': `ed25519=${sign(null, Buffer.from(text), this.privateKey).toString('base64')}` };
  }

  /** Sends a signed decision with a fresh code. */
  async decide<Body = Record<string, unknown>>(path: string, decision: string, shown: Shown, otherwise: Otherwise = {}): Promise<Answer<Body>> {
    const { revision, amount, currency, destination } = shown;
    const headers = { ...this.headers(decision, { ...shown, ...otherwise.signed }, otherwise.timestamp), ...otherwise.headers };
    const body = { revision, amount, currency, destination, totp_code: await this.person.code(), ...otherwise.body };
    return this.person.post<Body>(path, body, headers);
  }
}

/** Makes one of the staff who can sign. */
export async function signer(gateway: Gateway, role: StaffRole = 'approver', options: PersonOptions = {}): Promise<Signer> {
  const person = await staff(gateway, role, options);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
  await gateway.database.rows('update people set signing_public_key = $2 where id = $1', [person.id, raw]);
  return new Signer(person, privateKey);
}
