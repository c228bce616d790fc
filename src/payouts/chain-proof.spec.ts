import type { Sighting } from '../chains/tron/chain-view';
import { USDT_CONTRACT } from '../chains/tron/tron-address';
import { proofOf } from './chain-proof';
import type { Payout } from './payout';

const ADDRESS = 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH';
const OTHER = 'TSeJkUh4Qv67VNFwY8LaAxERygNdy6NQZK';
const asked = new Date('2026-01-01T12:00:00.000Z');

const payout: Payout = {
  clientId: 'cli_1', livemode: true, id: 'po_1', subjectId: 'wd_1', attempt: 1, port: 'manual', status: 'sending', amountMinor: 10_000_000n,
  currency: 'USDT', destination: ADDRESS, notBefore: asked, sends: 0, reference: null, begunBy: null, failure: null, createdAt: asked, updatedAt: asked,
};
const transfer = { contract: USDT_CONTRACT, from: OTHER, to: ADDRESS, amountMinor: 10_000_000n };
const seen = {
  state: 'seen', final: true, hash: 'a'.repeat(64), blockNumber: 100, blockTime: new Date(asked.getTime() + 60_000), confirmations: 19,
  succeeded: true, transfers: [transfer],
} as const satisfies Sighting;

describe('what a chain transaction proves of a payout', () => {
  it('is that it was paid, when everything is as it was asked for', () => {
    expect(proofOf(payout, seen)).toEqual({ state: 'paid', by: 'chain' });
    expect(proofOf(payout, { ...seen, blockTime: asked })).toEqual({ state: 'paid', by: 'chain' });
  });

  it('is the sum of what it sends there, and of nothing else', () => {
    const half = { ...transfer, amountMinor: 5_000_000n };
    expect(proofOf(payout, { ...seen, transfers: [half, { ...half, to: OTHER }, half] })).toMatchObject({ state: 'paid' });
    expect(proofOf(payout, { ...seen, transfers: [half, { ...half, contract: OTHER }] })).toMatchObject({ state: 'refused', reason: expect.stringContaining('5.000000 USDT instead of 10.000000') });
  });

  it('is nothing at all while the chain does not know it', () => {
    expect(proofOf(payout, { state: 'unknown' })).toEqual({ state: 'none' });
  });

  it.each<[string, Sighting]>([
    ['nobody answers', { state: 'unreachable', reason: 'no source answers' }],
    ['the sources differ', { state: 'disagreement', reason: 'they differ' }],
    ['it may still change', { ...seen, final: false, confirmations: 18 }],
    ['it failed and may still change', { ...seen, state: 'reverted', final: false, confirmations: 3, succeeded: false, failure: 'REVERT' }],
  ])('is nothing yet while %s', (_name, sighting) => {
    expect(proofOf(payout, sighting)).toMatchObject({ state: 'waiting', reason: expect.any(String) });
  });

  it.each<[string, Sighting, string]>([
    ['one minor unit too little', { ...seen, transfers: [{ ...transfer, amountMinor: 9_999_999n }] }, 'instead of'],
    ['one minor unit too much', { ...seen, transfers: [{ ...transfer, amountMinor: 10_000_001n }] }, 'instead of'],
    ['another address', { ...seen, transfers: [{ ...transfer, to: OTHER }] }, 'sends no USDT'],
    ['another token', { ...seen, transfers: [{ ...transfer, contract: OTHER }] }, 'sends no USDT'],
    ['a failed call', { ...seen, state: 'reverted', succeeded: false, failure: 'OUT_OF_ENERGY', transfers: [] }, 'OUT_OF_ENERGY'],
    ['an older transaction', { ...seen, blockTime: new Date(asked.getTime() - 1) }, 'older'],
  ])('refuses %s', (_name, sighting, reason) => {
    expect(proofOf(payout, sighting)).toEqual({ state: 'refused', reason: expect.stringContaining(reason) });
  });
});
