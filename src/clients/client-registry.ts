import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log';
import { type Tx, UnitOfWork } from '../platform/database/unit-of-work';
import { SCOPES, type Scope } from '../platform/http/policy';
import { NotFoundProblem } from '../platform/http/problem';
import { newId } from '../platform/identifiers';
import { Envelope } from '../platform/security/crypto/envelope';
import { presentClientToStaff } from './admin/admin-clients.dto';
import { ApiKey } from './api-key.entity';
import { presentApiKey } from './api-keys/api-key-presenter';
import { Client } from './client.entity';
import { hashOf, type IssuedKey, newApiKey, newSigningSecret, prefixOf, signingSecretPlace } from './key-material';

export interface NewClient {
  name: string;
  live: boolean;
  /** Basis points, 0 to 10,000. */
  feeBps: number;
  rateMultiplier: number;
}

export interface NewKey {
  clientId: string;
  livemode: boolean;
  name: string;
  scopes: readonly Scope[];
  allowedIps?: readonly string[];
  expiresAt?: Date | null;
}

/** Makes clients and their keys. */
@Injectable()
export class ClientRegistry {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly envelope: Envelope,
    private readonly audit: AuditLog,
  ) {}

  /** Creates a client and its first key, with all scopes, in the mode that was asked for. */
  create(command: NewClient): Promise<{ client: Client } & IssuedKey> {
    return this.unitOfWork.run(async (tx) => {
      const client = await this.createWithoutKey(tx, command);
      const issued = await this.issueKey(tx, { clientId: client.id, livemode: command.live, name: 'first key', scopes: SCOPES });
      return { client, ...issued };
    });
  }

  /** Makes a client inside a change, for people who will make its keys themselves. */
  async createWithoutKey(tx: Tx, { name, live, feeBps, rateMultiplier }: NewClient): Promise<Client> {
    const id = newId('cli');
    await tx.manager.insert(Client, { id, name, liveEnabled: live, feeBps, rateMultiplier });
    const client = await tx.manager.findOneByOrFail(Client, { id });
    await this.audit.record(tx, { clientId: id }, { kind: 'client.created', objectId: id, after: presentClientToStaff(client) });
    return client;
  }

  /** The client of somebody who has registered: test mode only and no fee, until the operator decides otherwise. */
  register(tx: Tx, name: string): Promise<Client> {
    return this.createWithoutKey(tx, { name, live: false, feeBps: 0, rateMultiplier: 1 });
  }

  /**
   * Gives a client another key with all scopes, for either of its books; a live key turns its live mode on.
   * Throws NotFoundProblem when there is no such client.
   */
  addKey(clientId: string, livemode: boolean): Promise<IssuedKey> {
    return this.unitOfWork.run(async (tx) => {
      const before = await tx.manager.findOne(Client, { where: { id: clientId }, lock: { mode: 'pessimistic_write' } });
      if (!before) throw new NotFoundProblem('client');
      if (livemode && !before.liveEnabled) {
        await tx.query('update clients set live_enabled = true, revision = revision + 1, updated_at = now() where id = $1', [clientId]);
        const change = { kind: 'client.live_enabled', objectId: clientId, before: { live_enabled: false }, after: { live_enabled: true } };
        await this.audit.record(tx, { clientId, livemode }, change);
      }
      return this.issueKey(tx, { clientId, livemode, name: 'made by an operator', scopes: SCOPES });
    });
  }

  /** Makes a key inside a change. What it returns is the only copy of the key and of its signing secret in clear. */
  async issueKey(tx: Tx, command: NewKey): Promise<IssuedKey> {
    const id = newId('key');
    const apiKey = newApiKey(command.livemode);
    const signingSecret = newSigningSecret();
    await tx.manager.insert(ApiKey, {
      clientId: command.clientId,
      id,
      livemode: command.livemode,
      name: command.name,
      prefix: prefixOf(apiKey),
      keyHash: hashOf(apiKey),
      signingSecret: this.envelope.seal(signingSecret, signingSecretPlace(command.clientId, id)),
      scopes: [...command.scopes],
      allowedIps: [...(command.allowedIps ?? [])],
      expiresAt: command.expiresAt ?? null,
    });
    await tx.query('insert into api_key_prefixes (prefix, client_id, key_id) values ($1, $2, $3)', [prefixOf(apiKey), command.clientId, id]);
    const key = await tx.manager.findOneByOrFail(ApiKey, { clientId: command.clientId, id });
    await this.audit.record(tx, command, { kind: 'api_key.created', objectId: id, after: presentApiKey(key) });
    return { key, apiKey, signingSecret };
  }
}
