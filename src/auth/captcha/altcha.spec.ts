import { randomBytes } from 'node:crypto';
import { createChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { DataSource } from 'typeorm';
import { TestDatabase } from '../../../test/support/database';
import { solveAltcha } from '../../../test/support/solve-captcha';
import { dataSourceOptions } from '../../platform/database/data-source';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { hmacSha256 } from '../../platform/security/crypto/digests';
import { Envelope } from '../../platform/security/crypto/envelope';
import { AltchaCaptcha, EVERYDAY_WORK, TEST_WORK } from './altcha';
import { captchaChallenge } from './captcha';
import { CleanCaptchaUses } from './clean-captcha-uses';

const KEY = 'the-newest-of-the-keys-that-sign-tokens';
const OLD_KEY = 'the-key-that-signed-before-the-rotation';

let database: TestDatabase;
const instances: { dataSource: DataSource; unitOfWork: UnitOfWork }[] = [];
let altcha: AltchaCaptcha;

beforeAll(async () => {
  database = await TestDatabase.create();
  for (let count = 0; count < 2; count += 1) {
    const dataSource = await new DataSource(dataSourceOptions({ url: database.url, entities: [], poolSize: 4 })).initialize();
    instances.push({ dataSource, unitOfWork: new UnitOfWork(dataSource, new Envelope([randomBytes(32)])) });
  }
  altcha = instance([KEY]);
});
afterEach(() => jest.useRealTimers());
afterAll(async () => {
  await Promise.all(instances.map(({ dataSource }) => dataSource.destroy()));
  await database.drop();
});

function instance(roots: string[], number = 0): AltchaCaptcha {
  return new AltchaCaptcha(instances[number].unitOfWork, roots, TEST_WORK);
}

async function proofOf(captcha: AltchaCaptcha) {
  const challenge = await captcha.challenge();
  if (challenge.provider !== 'altcha') throw new Error('this is no proof of work');
  return challenge;
}

async function solved(captcha = altcha): Promise<string> {
  return solveAltcha(await proofOf(captcha));
}

type Payload = {
  challenge: { parameters: Record<string, unknown>; signature: unknown };
  solution: Record<string, unknown>;
};
const decoded = (text: string) => JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Payload;
const encoded = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');

/** A genuine solution with something changed in it. */
async function forged(change: (payload: Payload) => void): Promise<string> {
  const payload = decoded(await solved());
  change(payload);
  return encoded(payload);
}

describe('a challenge', () => {
  it('is what ALTCHA reads, ends in five minutes and is never the same', async () => {
    const [one, other] = [await proofOf(altcha), await proofOf(altcha)];
    expect(captchaChallenge.parse(one)).toEqual(one);
    expect(one).toMatchObject({ provider: 'altcha', parameters: { algorithm: 'PBKDF2/SHA-256', cost: TEST_WORK.cost, keyLength: 32 } });
    expect(Math.abs(one.parameters.expiresAt - Date.now() / 1000 - 300)).toBeLessThan(5);
    expect(other.parameters.nonce).not.toBe(one.parameters.nonce);
    expect(JSON.stringify(one)).not.toContain(KEY);
  });

  it('is solved in some milliseconds while testing', async () => {
    const startedAt = performance.now();
    for (let count = 0; count < 5; count += 1) await solved();
    expect((performance.now() - startedAt) / 5).toBeLessThan(300);
  });

  it('is real work otherwise, though less to make than to solve', async () => {
    const { parameters } = await proofOf(new AltchaCaptcha(instances[0].unitOfWork, [KEY], EVERYDAY_WORK));
    expect(parameters.cost * (EVERYDAY_WORK.tries / 2)).toBeGreaterThanOrEqual(5_000_000);
  });

  it('cannot be made without a secret', () => {
    expect(() => instance([])).toThrow('cannot be signed without a secret');
  });
});

describe('a solution', () => {
  it('passes once, and is kept until its challenge has ended', async () => {
    const solution = await solved();
    expect(await altcha.passes(solution)).toBe(true);
    expect(await altcha.passes(solution)).toBe(false);
    const { nonce, expiresAt } = decoded(solution).challenge.parameters;
    expect(await database.rows('select extract(epoch from expires_at)::int as at from captcha_uses where nonce = $1', [nonce]))
      .toEqual([{ at: expiresAt }]);
  });

  it('passes for exactly one of twenty at the same moment on two instances', async () => {
    const solution = await solved();
    const both = [altcha, instance([KEY], 1)];
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, count) => both[count % 2].passes(solution)));
    expect(outcomes.filter(Boolean)).toHaveLength(1);
  });

  it('is not a new one when it is written differently', async () => {
    const solution = await solved();
    const { challenge: { parameters, signature }, solution: { counter, derivedKey } } = decoded(solution);
    const reordered = Object.fromEntries(Object.entries(parameters).toReversed());
    const rewritten = { solution: { derivedKey, counter, took: 1 }, challenge: { signature, parameters: reordered } };
    expect(await altcha.passes(encoded(rewritten))).toBe(true);
    expect(await altcha.passes(solution)).toBe(false);
    // A counter is what the work was, not what is checked; another one does not make the key a new one.
    expect(await altcha.passes(encoded({ ...rewritten, solution: { counter: 1, derivedKey } }))).toBe(false);
  });

  it('may repeat all of the answer, as a browser got it', async () => {
    const challenge = await proofOf(altcha);
    const { solution } = decoded(await solveAltcha(challenge));
    expect(await altcha.passes(encoded({ challenge, solution }))).toBe(true);
  });

  it('passes until the challenge ends, and not a second longer', async () => {
    const [intime, late] = [await solved(), await solved()];
    const expiresAt = Number(decoded(late).challenge.parameters['expiresAt']);
    const doNotFake = ['nextTick', 'setImmediate', 'setTimeout', 'clearTimeout', 'queueMicrotask'] as const;
    jest.useFakeTimers({ now: expiresAt * 1000 - 2_000, doNotFake: [...doNotFake] });
    expect(await altcha.passes(intime)).toBe(true);
    jest.setSystemTime(expiresAt * 1000 + 1_000);
    expect(await altcha.passes(late)).toBe(false);
  });

  it('passes while keys rotate, in both directions, and not under a foreign key', async () => {
    const rotating = instance([KEY, OLD_KEY]);
    expect(await rotating.passes(await solved(instance([OLD_KEY])))).toBe(true);
    expect(await altcha.passes(await solved(rotating))).toBe(true);
    expect(await instance([OLD_KEY]).passes(await solved(altcha))).toBe(false);
  });
});

describe('a forgery', () => {
  it.each<[string, (payload: Payload) => void]>([
    ['a cost of a thousand million', ({ challenge }) => void (challenge.parameters['cost'] = 1e9)],
    ['a cost of nothing', ({ challenge }) => void (challenge.parameters['cost'] = 1)],
    ['another algorithm', ({ challenge }) => void (challenge.parameters['algorithm'] = 'SHA-256')],
    ['scrypt with much memory', ({ challenge }) => void Object.assign(challenge.parameters, { algorithm: 'SCRYPT', memoryCost: 2 ** 40 })],
    ['a key of a gigabyte', ({ challenge }) => void (challenge.parameters['keyLength'] = 2 ** 30)],
    ['an end in a year', ({ challenge }) => void (challenge.parameters['expiresAt'] = Math.floor(Date.now() / 1000) + 31_536_000)],
    ['no end', ({ challenge }) => void delete challenge.parameters['expiresAt']],
    ['another nonce', ({ challenge }) => void (challenge.parameters['nonce'] = '0'.repeat(32))],
    ['no signature of its key', ({ challenge }) => void delete challenge.parameters['keySignature']],
    ['a signature in capitals', ({ challenge }) => void (challenge.signature = String(challenge.signature).toUpperCase())],
    ['no signature', ({ challenge }) => void (challenge.signature = '')],
    ['a signature that is no text', ({ challenge }) => void (challenge.signature = [])],
    ['a huge counter', ({ solution }) => void (solution['counter'] = 1e300)],
    ['a counter that is text', ({ solution }) => void (solution['counter'] = '1')],
    ['half of the key, which is public', ({ challenge, solution }) => void (solution['derivedKey'] = challenge.parameters['keyPrefix'])],
    ['another key', ({ solution }) => void (solution['derivedKey'] = 'ab'.repeat(32))],
    ['a long key', ({ solution }) => void (solution['derivedKey'] = 'ab'.repeat(2_000))],
  ])('with %s is refused', async (_what, change) => {
    expect(await altcha.passes(await forged(change))).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['no base64', '{"challenge":{}}'],
    ['base64 of no JSON', encoded('challenge')],
    ['base64 of null', encoded('null')],
    ['an array', encoded('[]')],
    ['deep arrays', encoded('['.repeat(6_000))],
    ['deep objects', encoded(`${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`)],
    ['deep parameters', encoded(`{"challenge":{"parameters":${'{"a":'.repeat(900)}1${'}'.repeat(900)}},"solution":{}}`)],
    ['a prototype', encoded('{"__proto__":{"challenge":{}},"constructor":{}}')],
    ['bytes that are no text', Buffer.alloc(300, 0xff).toString('base64')],
    ['characters beyond base64', '€'.repeat(100)],
  ])('that is %s is refused', async (_what, text) => {
    expect(await altcha.passes(text)).toBe(false);
  });

  it('beyond 8 KiB is not even read', async () => {
    const decode = jest.spyOn(Buffer, 'from');
    expect(await altcha.passes('A'.repeat(8_196))).toBe(false);
    expect(decode).not.toHaveBeenCalled();
    decode.mockRestore();
  });

  it('made with the raw secret is refused', async () => {
    const challenge = await createChallenge({
      algorithm: 'PBKDF2/SHA-256', cost: 1, counter: 1, deriveKey, hmacSignatureSecret: KEY, hmacKeySignatureSecret: KEY,
      expiresAt: new Date(Date.now() + 60_000),
    });
    expect(await altcha.passes(await solveAltcha(challenge))).toBe(false);
    const { parameters, signature } = await proofOf(altcha);
    expect(signature).not.toBe(hmacSha256(KEY, JSON.stringify(parameters)).toString('hex'));
  });

  it('costs the server next to nothing, and leaves no row', async () => {
    const before = await database.value('select count(*)::int from captcha_uses');
    const texts = await Promise.all(Array.from({ length: 50 }, () => forged(({ challenge }) => void (challenge.parameters['cost'] = 1e9))));
    const startedAt = performance.now();
    for (const text of texts) expect(await altcha.passes(text)).toBe(false);
    expect((performance.now() - startedAt) / texts.length).toBeLessThan(5);
    expect(await database.value('select count(*)::int from captcha_uses')).toBe(before);
  });
});

describe('the clean-up', () => {
  it('forgets uses an hour after their challenge has ended, and no others', async () => {
    await database.rows('delete from captcha_uses');
    await database.rows(`
      insert into captcha_uses (nonce, expires_at)
      select 'old-' || n, now() - interval '61 minutes' from generate_series(1, 5001) n
       union all values ('recent', now() - interval '59 minutes'), ('running', now() + interval '5 minutes')`);
    const job = new CleanCaptchaUses(instances[0].unitOfWork);
    await Promise.all([job.run(), new CleanCaptchaUses(instances[1].unitOfWork).run()]);
    expect(await database.rows('select nonce from captcha_uses order by nonce')).toEqual([{ nonce: 'recent' }, { nonce: 'running' }]);
  });
});
