import { AddressWatcher } from '../../src/chains/address-watcher';
import { eventually } from './eventually';
import type { FakeTron } from './fake-tron';
import { TEST_XPUB } from './fake-tron-keys';
import type { Gateway } from './gateway';
import type { Merchant } from './merchant';

export const TRON_WEBHOOK_SECRET = 'tron-test-secret-0123456789';

/** The settings of a gateway that reads these servers. */
export function tronEnvironment(...servers: readonly FakeTron[]): Record<string, string> {
  return { TRON_XPUB: TEST_XPUB, TRON_API_BASE: servers.map(({ url }) => url).join(','), WEBHOOK_SECRET_TRON: TRON_WEBHOOK_SECRET };
}

/** A payment that waits for USDT, as its merchant sees it. */
export interface ChainPayment {
  id: string;
  address: string;
}

/** What the chain tests ask and look up, for one gateway. */
export class ChainBench {
  constructor(private readonly gateway: Gateway) {}

  /** A payment of 10 USDT unless said otherwise. */
  async payment(merchant: Merchant, amount = '10.00'): Promise<ChainPayment> {
    const { status, body } = await merchant.post<{ id: string; deposit_address: string }>('/v1/payments', { amount, currency: 'USDT', method: 'usdt_trc20' });
    expect(status).toBe(201);
    return { id: body.id, address: body.deposit_address };
  }

  /** Has the payment's address looked at, and waits until all that the chain showed at this moment has been handled. */
  async watch({ id }: ChainPayment): Promise<void> {
    const from = new Date();
    await this.gateway.app.get(AddressWatcher, { strict: false }).lookSoon({ paymentId: id });
    await eventually(async () => (await this.cursorOf({ id })) >= from, 20_000);
  }

  cursorOf({ id }: Pick<ChainPayment, 'id'>): Promise<Date> {
    return this.gateway.database.value('select complete_until from watched_addresses where payment_id = $1', [id]);
  }

  /** Balances of a client on their normal side, in minor units of USDT; accounts at zero left out. */
  async balances({ credentials }: Merchant): Promise<Record<string, string>> {
    const rows = await this.gateway.database.rows<{ kind: string; balance: string }>(
      `select kind, abs(debits_posted - credits_posted)::text as balance from ledger_accounts
        where client_id = $1 and currency = 'USDT' and debits_posted <> credits_posted order by 1`, [credentials.clientId],
    );
    return Object.fromEntries(rows.map(({ kind, balance }) => [kind, balance]));
  }

  /** The types of a payment's events, in order. */
  async told({ id }: ChainPayment): Promise<string[]> {
    const rows = await this.gateway.database.rows<{ type: string }>('select type from events where object_id = $1 order by created_at, id', [id]);
    return rows.map(({ type }) => type);
  }

  /** How transfers to an address are written down. */
  async transfers({ address }: ChainPayment): Promise<string[]> {
    const rows = await this.gateway.database.rows<{ state: string }>('select state from chain_transfers where address = $1 order by first_seen_at, hash', [address]);
    return rows.map(({ state }) => state);
  }

  async unmatched({ id }: ChainPayment): Promise<Record<string, unknown>[]> {
    return this.gateway.database.rows(
      'select provider, reference, amount_minor, currency, reason, wish, booked, livemode, details from unmatched_deposits where payment_id = $1', [id],
    );
  }

  /** How many security events of a kind name a source that holds this text. */
  async alerts(kind: string, source: string): Promise<number> {
    return this.gateway.database.value('select count(*)::int from security_events where kind = $1 and source like $2', [kind, `%${source}%`]);
  }
}
