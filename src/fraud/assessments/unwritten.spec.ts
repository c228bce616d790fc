import type { Assessment } from './assessment';
import { KEPT_COLUMNS, Unwritten } from './unwritten';

const SEPARATOR = '\x1e';
let made = 0;
const assessment = (clientId: string, livemode: boolean, domain: string | undefined, amountMinor: bigint): Assessment => ({
  clientId, livemode, subject: 'payment', subjectId: `pay_${made += 1}`, amountMinor, currency: 'USD', at: new Date(0), revision: 1, signals: {}, sightings: [],
  verdict: { score: 0, decision: 'allow', reasons: [], fired: [] }, counted: { domain },
});
/** What is told of the counters: client, book, kind, entity, all and small of each. */
function countersOf(unwritten: Unwritten): string[][] {
  const columns = unwritten.parameters().slice(-6).map((text) => text.split(SEPARATOR));
  return columns[0]!.map((_, at) => columns.map((column) => column[at]!));
}

describe('assessments that wait', () => {
  const all = [
    assessment('cli_b', true, 'shop.example', 100n), assessment('cli_a', true, 'z.example', 2000n), assessment('cli_a', false, undefined, 2000n),
    assessment('cli_a', true, 'a.example', 100n), assessment('cli_b', true, 'shop.example', 2000n),
  ];
  const counters = [
    ['cli_a', 'false', 'client', 'cli_a', '1', '0'],
    ['cli_a', 'true', 'client', 'cli_a', '2', '1'],
    ['cli_a', 'true', 'email_domain', 'a.example', '1', '1'],
    ['cli_a', 'true', 'email_domain', 'z.example', '1', '0'],
    ['cli_b', 'true', 'client', 'cli_b', '2', '1'],
    ['cli_b', 'true', 'email_domain', 'shop.example', '2', '1'],
  ];

  it('tell each counter once, in one order, in whatever order they came', () => {
    expect(countersOf(Unwritten.of(all))).toEqual(counters);
    expect(countersOf(Unwritten.of(all.toReversed()))).toEqual(counters);
    expect(Unwritten.of(all).parameters()).toHaveLength(KEPT_COLUMNS);
  });

  it('are the same one by one', () => {
    const one = Unwritten.of(all).each();
    expect(one.map(({ size }) => size)).toEqual([1, 1, 1, 1, 1]);
    expect(countersOf(one[4]!)).toEqual([['cli_b', 'true', 'client', 'cli_b', '1', '0'], ['cli_b', 'true', 'email_domain', 'shop.example', '1', '0']]);
  });
});
