import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { poolOf } from '../platform/database/data-source';
import type { KeyAccess } from '../platform/http/request-context';
import { constantTimeEqualHex, sha256Hex } from '../platform/security/crypto/digests';
import { Envelope } from '../platform/security/crypto/envelope';
import type { KeyDirectory, KeyRecord } from '../platform/security/key-directory';
import { prefixOf, signingSecretPlace } from './key-material';

/** How long a read may trust what memory says of a key. Changes check it again in the query that they make anyway. */
const TRUST_MS = 2_000;
const MAX_CACHED = 10_000;
const FLUSH_MS = 15_000;

interface KeyRow {
  client_id: string;
  key_id: string;
  livemode: boolean;
  key_hash: string;
  signing_secret: string;
  scopes: string[];
  allowed_ips: string[];
  expires_at: Date | null;
  revoked_at: Date | null;
  key_revision: string;
  client_revision: string;
  client_status: KeyRecord['clientStatus'];
  live_enabled: boolean;
  fee_bps: number;
  rate_multiplier: number;
  settings: Record<string, unknown>;
}

const FIND = `
  select k.client_id, k.id as key_id, k.livemode, k.key_hash, k.signing_secret, k.scopes, k.allowed_ips, k.expires_at, k.revoked_at,
         k.revision as key_revision, c.revision as client_revision, c.status as client_status, c.live_enabled, c.fee_bps,
         c.rate_multiplier, case when k.livemode then c.live_settings else c.test_settings end as settings
    from api_key_prefixes p
    join api_keys k on k.client_id = p.client_id and k.id = p.key_id
    join clients c on c.id = k.client_id
   where p.prefix = $1`;

/** Finds keys by what callers present, and remembers them for two seconds. */
@Injectable()
export class KeyDirectoryService implements KeyDirectory, BeforeApplicationShutdown {
  private readonly logger = new Logger(KeyDirectoryService.name);
  private readonly cache = new Map<string, { record: KeyRecord; readAt: number }>();
  private readonly reading = new Map<string, Promise<KeyRecord | undefined>>();
  private readonly lastUsed = new Map<string, { clientId: string; at: number }>();
  private readonly flusher = setInterval(() => void this.flush(), FLUSH_MS).unref();

  constructor(
    private readonly dataSource: DataSource,
    private readonly envelope: Envelope,
  ) {}

  cached(presentedKey: string): KeyRecord | undefined {
    const known = this.cache.get(presentedKey);
    return known && performance.now() - known.readAt < TRUST_MS ? known.record : undefined;
  }

  /** Callers that ask for the same key at the same time share one query. */
  find(presentedKey: string): Promise<KeyRecord | undefined> {
    const underWay = this.reading.get(presentedKey);
    if (underWay) return underWay;
    const reading = this.read(presentedKey).finally(() => this.reading.delete(presentedKey));
    this.reading.set(presentedKey, reading);
    return reading;
  }

  used({ keyId, clientId }: KeyAccess): void {
    this.lastUsed.set(keyId, { clientId, at: Date.now() });
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.flusher);
    await this.flush();
  }

  private async read(presentedKey: string): Promise<KeyRecord | undefined> {
    const readAt = performance.now();
    const { rows } = await poolOf(this.dataSource).query<KeyRow>({ name: 'find_key', text: FIND, values: [prefixOf(presentedKey)] });
    const [row] = rows;
    if (!row || !constantTimeEqualHex(Buffer.from(row.key_hash, 'hex'), sha256Hex(presentedKey))) return undefined;
    const record = this.toRecord(row);
    if (this.cache.size >= MAX_CACHED) this.cache.clear();
    this.cache.set(presentedKey, { record, readAt });
    return record;
  }

  private toRecord(row: KeyRow): KeyRecord {
    return {
      access: {
        clientId: row.client_id,
        keyId: row.key_id,
        livemode: row.livemode,
        keyRevision: row.key_revision,
        clientRevision: row.client_revision,
        scopes: row.scopes,
        rateMultiplier: row.rate_multiplier,
        feeBps: row.fee_bps,
        clientSettings: row.settings,
        signingSecret: this.envelope.open(row.signing_secret, signingSecretPlace(row.client_id, row.key_id)).toString('utf8'),
      },
      clientStatus: row.client_status,
      liveEnabled: row.live_enabled,
      allowedIps: row.allowed_ips,
      expiresAt: row.expires_at,
      revokedAt: row.revoked_at,
    };
  }

  /** Writes when each key was last used: one statement for all of them, four times a minute, whatever the traffic. */
  private async flush(): Promise<void> {
    if (this.lastUsed.size === 0) return;
    const uses = [...this.lastUsed].map(([keyId, { clientId, at }]) => ({ key_id: keyId, client_id: clientId, at: new Date(at) }));
    this.lastUsed.clear();
    try {
      await this.dataSource.query(
        `update api_keys k set last_used_at = greatest(k.last_used_at, u.at)
           from jsonb_to_recordset($1) as u (client_id text, key_id text, at timestamptz)
          where k.client_id = u.client_id and k.id = u.key_id`,
        [JSON.stringify(uses)],
      );
    } catch (error) {
      this.logger.warn({ err: error, msg: 'could not note when keys were last used' });
    }
  }
}
