import { Logger } from '@nestjs/common';
import { Problem, type ProblemCode } from '../../http/problem';
import { SlidingWindowStorage } from '../limits/sliding-window.storage';
import type { AddressBlocker } from './address-blocker';
import { RefusalCounter } from './refusal-counter';
import { RefusalFactors } from './refusal-factors';

describe('the counter of refusals', () => {
  const block = jest.fn<Promise<void>, [string, string, string]>();
  let storage: SlidingWindowStorage;
  let counter: RefusalCounter;

  beforeEach(() => {
    block.mockReset().mockResolvedValue();
    storage = new SlidingWindowStorage();
    counter = new RefusalCounter(storage, new RefusalFactors(), { block } as unknown as AddressBlocker);
  });
  afterEach(() => {
    storage.onModuleDestroy();
    jest.restoreAllMocks();
  });

  const refuse = async (code: ProblemCode, times: number, caller: { ip?: string; fromThisMachine?: boolean } = { ip: '203.0.113.7' }) => {
    for (let time = 0; time < times; time += 1) await counter.count(new Problem(code, 'Refused.'), { requestId: 'test', startedAt: 0, ...caller });
  };

  it('blocks with the hundredth of all kinds together', async () => {
    await refuse('unauthenticated', 40);
    await refuse('scope_missing', 30);
    await refuse('not_found', 20);
    await refuse('rate_limited', 9);
    expect(block).not.toHaveBeenCalled();
    await refuse('not_found', 1);
    expect(block).toHaveBeenCalledWith('203.0.113.7', 'refusals', '100 refusals in 5 minutes');
  });

  it.each(['ip_blocked', 'validation_failed', 'malformed_request', 'state_conflict', 'method_not_allowed', 'internal_error'] as const)(
    'does not count %s', async (code) => {
      await refuse(code, 101);
      expect(block).not.toHaveBeenCalled();
    },
  );

  it('counts nobody without an address, and nobody on this machine', async () => {
    await refuse('not_found', 101, {});
    await refuse('not_found', 101, { ip: 'unknown' });
    await refuse('not_found', 101, { ip: '127.0.0.1', fromThisMachine: true });
    expect(block).not.toHaveBeenCalled();
    await refuse('not_found', 100, { ip: '127.0.0.1' });
    expect(block).toHaveBeenCalledTimes(1);
  });

  it('never breaks an answer', async () => {
    const complain = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    block.mockRejectedValue(new Error('the database is away'));
    await refuse('not_found', 100);
    jest.spyOn(storage, 'increment').mockRejectedValue(new Error('the counters are away'));
    await refuse('not_found', 1);
    expect(complain).toHaveBeenCalledTimes(2);
  });
});
