import { createBlockBody } from './blocks.dto';

describe('the body of a new block', () => {
  const read = (change: object) => createBlockBody.safeParse({ address: '203.0.113.7', reason: 'attacks', ...change });

  it('is a block unless it says otherwise, of a network in its one form', () => {
    expect(read({}).data).toEqual({ address: '203.0.113.7', kind: 'block', reason: 'attacks' });
    expect(read({ address: '::ffff:203.0.113.0/120', kind: 'allow', seconds: 60 }).data).toMatchObject({ address: '203.0.113.0/24', kind: 'allow', seconds: 60 });
  });

  it.each([
    { address: '203.0.113.7/24' }, { address: 'example.com' }, { address: '' }, { address: 7 }, { kind: 'deny' }, { reason: '' }, { reason: 'a\nb' },
    { reason: 'a'.repeat(501) }, { seconds: 59 }, { seconds: 31_536_001 }, { seconds: 60.5 }, { seconds: '60' }, { level: 4 },
  ])('is refused with %j', (change) => {
    expect(read(change).success).toBe(false);
  });
});
