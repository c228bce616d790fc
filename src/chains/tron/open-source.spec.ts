import { FakeTron } from '../../../test/support/fake-tron';
import { someAddress } from '../../../test/support/fake-tron-chain';
import { openTronSource } from './open-source';
import type { ListedTransfer } from './tron-source';
import { TronGridSource } from './trongrid-source';
import { TronScanSource } from './tronscan-source';

const NODE = '/wallet/getnowblock';

describe('a source', () => {
  let server: FakeTron | undefined;
  afterEach(() => server?.stop());

  it.each([
    ['https://api.trongrid.io', TronGridSource, 'api.trongrid.io'],
    ['https://nile.trongrid.io/', TronGridSource, 'nile.trongrid.io'],
    ['https://apilist.tronscanapi.com', TronScanSource, 'apilist.tronscanapi.com'],
  ])('at %s is known by its name', (baseUrl, kind, name) => {
    const source = openTronSource({ baseUrl });
    expect(source).toBeInstanceOf(kind);
    expect(source.name).toBe(name);
  });

  it.each(['trongrid', 'tronscan', 'both'] as const)('of another name that speaks %s is asked once', async (dialect) => {
    server = await FakeTron.start({ dialect });
    const to = someAddress();
    const hash = server.chain.transfer({ to, amountMinor: 7n });
    const source = openTronSource({ baseUrl: server.url });
    const rows: ListedTransfer[] = [];

    const [head, transaction] = await Promise.all([source.head(), source.transaction(hash)]);
    for await (const page of source.transfersTo(to, new Date(0))) rows.push(...page);
    expect(head.number).toBe(server.chain.head().number);
    expect(transaction).toMatchObject({ hash, succeeded: true });
    expect(rows).toMatchObject([{ hash, amountMinor: 7n }]);
    // TronGrid's head is asked for once more by the head, and once by the transaction.
    expect(server.requests.get(NODE)).toBe(dialect === 'tronscan' ? 1 : 3);
  });

  it('that is down, throttles or talks nonsense at first is asked again', async () => {
    server = await FakeTron.start({ dialect: 'trongrid' });
    const source = openTronSource({ baseUrl: server.url });
    for (const [mode, reason] of [['drop', 'unreachable'], ['throttle', 'throttled'], ['garbage', 'malformed']] as const) {
      server.fail({ mode });
      await expect(source.head()).rejects.toMatchObject({ reason });
      server.heal();
    }
    expect(await source.head()).toMatchObject({ number: server.chain.head().number });
  });
});
