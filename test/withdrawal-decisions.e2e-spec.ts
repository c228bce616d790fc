import { generateKeyPairSync } from 'node:crypto';
import { checkLedger, shownOf, withFunds } from './support/funds';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { newTotpSecret } from '../src/auth/two-factor/totp';
import { staff, totpCode } from './support/people';
import { type Otherwise, type Shown, Signer, signer } from './support/signing';

describe('decisions on withdrawals', () => {
  let gateway: Gateway;
  let request: (amount?: string) => Promise<string>;
  let clientId: string;
  let destination: string;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    const made = await withFunds(gateway, { amountMinor: 100_000_000_000n });
    ({ request, destination } = made);
    clientId = made.merchant.credentials.clientId;
  });
  afterAll(() => gateway.stop());

  const approve = (by: Signer, shown: Shown, otherwise: Otherwise = {}) => by.decide(`/v1/admin/withdrawals/${shown.id}/approve`, 'approve', shown, otherwise);
  const rowOf = async (id: string) => (await gateway.database.rows('select status, approvals, revision from withdrawals where id = $1', [id]))[0];
  const untouched = { status: 'pending_review', approvals: 0, revision: '1' };
  const said = ({ status, body: { code } }: { status: number; body: Record<string, unknown> }) => [status, code];

  it.each<[string, (shown: Shown) => Otherwise, number, string]>([
    ['without a signature', () => ({ headers: { 'x-admin-signature': '' } }), 401, 'signature_invalid'],
    ['with one that is cut', () => ({ headers: { 'x-admin-signature': 'ed25519=AAAA' } }), 401, 'signature_invalid'],
    ['signed five minutes ago', () => ({ timestamp: Math.floor(Date.now() / 1000) - 302 }), 401, 'signature_expired'],
    ['signed five minutes ahead', () => ({ timestamp: Math.floor(Date.now() / 1000) + 302 }), 401, 'signature_expired'],
    ['signed over another amount', () => ({ signed: { amount: '1.000000' } }), 401, 'signature_invalid'],
    ['signed over another destination', () => ({ signed: { destination: 'T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwc' } }), 401, 'signature_invalid'],
    ['signed over another withdrawal', () => ({ signed: { id: `wd_${'0'.repeat(32)}` } }), 401, 'signature_invalid'],
    ['signed over another revision', () => ({ signed: { revision: 7 } }), 401, 'signature_invalid'],
    ['of a changed amount', ({ amount }) => ({ signed: { amount: `1${amount}` }, body: { amount: `1${amount}` } }), 409, 'stale_revision'],
    ['of an amount that was changed after it was signed', ({ amount }) => ({ body: { amount: `1${amount}` } }), 409, 'stale_revision'],
    ['of an amount with fewer decimals', () => ({ signed: { amount: '10.00' }, body: { amount: '10.00' } }), 409, 'stale_revision'],
    ['of a look-alike destination', () => ({ signed: { destination: 'T9yD14Nj9j7xXX4dbGeiX9h8unkKHxuWwb' }, body: { destination: 'T9yD14Nj9j7xXX4dbGeiX9h8unkKHxuWwb' } }), 409, 'stale_revision'],
    ['of another revision', () => ({ signed: { revision: 2 }, body: { revision: 2 } }), 409, 'stale_revision'],
    ['with a wrong code', () => ({ body: { totp_code: '000000' } }), 403, 'two_factor_invalid'],
    ['without a code', () => ({ body: { totp_code: undefined } }), 422, 'validation_failed'],
  ])('are refused %s', async (_name, otherwise, status, code) => {
    const id = await request('10');
    const shown = await shownOf(gateway, id);
    expect(said(await approve(await signer(gateway), shown, otherwise(shown)))).toEqual([status, code]);
    expect(await rowOf(id)).toEqual(untouched);
    expect(await gateway.database.value('select count(*)::int from decisions where subject_id = $1', [id])).toBe(0);
  });

  it('are refused for a rejection that was signed as an approval, and the other way round', async () => {
    const id = await request();
    const shown = await shownOf(gateway, id);
    expect(said(await (await signer(gateway)).decide(`/v1/admin/withdrawals/${id}/approve`, 'reject', shown))).toEqual([401, 'signature_invalid']);
    expect(said(await (await signer(gateway)).decide(`/v1/admin/withdrawals/${id}/reject`, 'approve', shown))).toEqual([401, 'signature_invalid']);
    expect(await rowOf(id)).toEqual(untouched);
  });

  it('are refused when they come again, letter for letter, also from whoever may decide', async () => {
    const id = await request('10000');
    const shown = await shownOf(gateway, id);
    const by = await signer(gateway);
    const headers = by.headers('approve', shown);
    const { id: _id, ...words } = shown;
    const body = { ...words, totp_code: await by.person.code() };
    const thief = await signer(gateway);
    expect(said(await thief.person.post(`/v1/admin/withdrawals/${id}/approve`, { ...body, totp_code: await thief.person.code() }, headers)))
      .toEqual([401, 'signature_invalid']);
    expect((await by.person.post(`/v1/admin/withdrawals/${id}/approve`, body, headers)).status).toBe(200);
    expect(said(await by.person.post(`/v1/admin/withdrawals/${id}/approve`, body, headers))).toEqual([409, 'state_conflict']);
    expect(said(await thief.person.post(`/v1/admin/withdrawals/${id}/approve`, body, headers))).toEqual([409, 'stale_revision']);
    expect(await rowOf(id)).toEqual({ status: 'pending_review', approvals: 1, revision: '2' });
  });

  it('count one voice of a person, however many come at once', async () => {
    const id = await request('10000');
    const shown = await shownOf(gateway, id);
    const by = await signer(gateway);
    const code = await totpCode(by.person.totpSecret!);
    const answers = await Promise.all(Array.from({ length: 12 }, () => approve(by, shown, { body: { totp_code: code } })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await rowOf(id)).toEqual({ status: 'pending_review', approvals: 1, revision: '2' });
  });

  it('let only as many approve at once as were shown the same revision', async () => {
    const id = await request('10000');
    const shown = await shownOf(gateway, id);
    const people = await Promise.all(Array.from({ length: 5 }, () => signer(gateway)));
    const answers = await Promise.all(people.map((by) => approve(by, shown)));
    expect(answers.map(said).sort()).toEqual([[200, undefined], ...Array.from({ length: 4 }, () => [409, 'stale_revision'])]);
  });

  it('are not for whoever asked', async () => {
    const asker = await signer(gateway, 'admin');
    const asked = await asker.person.post<{ id: string; requested_by: string }>('/v1/admin/withdrawals', {
      client: clientId, livemode: false, amount: '10', currency: 'USDT', destination,
    });
    expect([asked.status, asked.body]).toEqual([201, expect.objectContaining({ requested_by: asker.person.id, status: 'pending_review' })]);
    const shown = await shownOf(gateway, asked.body.id);
    expect(said(await approve(asker, shown))).toEqual([403, 'self_approval']);
    expect(await rowOf(shown.id)).toEqual(untouched);
    expect((await approve(await signer(gateway), shown)).body).toMatchObject({ status: 'approved' });
  });

  it('take no code from whom they refuse', async () => {
    const by = await signer(gateway);
    const id = await request();
    const shown = await shownOf(gateway, id);
    const code = await by.person.code();
    expect(said(await approve(by, shown, { signed: { revision: 2 }, body: { revision: 2, totp_code: code } }))).toEqual([409, 'stale_revision']);
    expect((await approve(by, shown, { body: { totp_code: code } })).status).toBe(200);
  });

  it('need a key, and the one that is in force', async () => {
    const without = await staff(gateway, 'approver');
    const { privateKey } = generateKeyPairSync('ed25519');
    const shown = await shownOf(gateway, await request());
    expect(said(await approve(new Signer(without, privateKey), shown))).toEqual([403, 'forbidden']);
    const by = await signer(gateway);
    const { publicKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
    expect((await by.person.post('/v1/auth/signing-key', { public_key: raw })).status).toBe(200);
    expect(said(await approve(by, shown))).toEqual([401, 'signature_invalid']);
  });

  it('take a code of nobody else', async () => {
    const shown = await shownOf(gateway, await request());
    expect(said(await approve(await signer(gateway), shown, { body: { totp_code: await totpCode(newTotpSecret()) } }))).toEqual([403, 'two_factor_invalid']);
  });

  it('wait while withdrawals are paused, and rejections do not', async () => {
    const [first, second] = [await request(), await request()];
    await gateway.database.rows("insert into switches values ('withdrawals', true, 'an incident', 'usr_x')");
    const by = await signer(gateway);
    expect(said(await approve(by, await shownOf(gateway, first)))).toEqual([503, 'paused']);
    expect(await rowOf(first)).toEqual(untouched);
    expect((await (await signer(gateway)).decide(`/v1/admin/withdrawals/${second}/reject`, 'reject', await shownOf(gateway, second))).body)
      .toMatchObject({ status: 'rejected' });
    await gateway.database.rows("delete from switches where id = 'withdrawals'");
    expect((await approve(await signer(gateway), await shownOf(gateway, first))).status).toBe(200);
  });

  describe('in the database, whatever the code does', () => {
    const decide = (id: string, change: Record<string, unknown>) => gateway.database.rows(
      `insert into decisions select (jsonb_populate_record(null::decisions, jsonb_build_object(
         'client_id', client_id, 'livemode', livemode, 'subject_id', id, 'decision', 'approve', 'person_id', 'usr_a', 'requested_by', requested_by,
         'revision', revision, 'amount_minor', amount_minor, 'currency', currency, 'destination', destination, 'simulated', false,
         'signature', 's', 'public_key', 'k', 'signed_at', now(), 'created_at', now()) || $2::jsonb)).* from withdrawals where id = $1`,
      [id, JSON.stringify(change)]);

    it.each<[string, Record<string, unknown>, string]>([
      ['whoever asked', { person_id: 'ASKER' }, 'decisions_four_eyes'],
      ['whoever asked, under the name of another', { person_id: 'ASKER', requested_by: 'usr_b' }, 'decisions_match_their_subject'],
      ['a changed amount', { amount_minor: 1 }, 'decisions_match_their_subject'],
      ['another destination', { destination: 'elsewhere' }, 'decisions_match_their_subject'],
      ['an older revision', { revision: 0 }, 'decisions_match_their_subject'],
      ['no signature', { signature: null }, 'decisions_are_signed'],
    ])('refuse %s', async (_name, change, constraint) => {
      const id = await request();
      const asker = await gateway.database.value('select requested_by from withdrawals where id = $1', [id]);
      await expect(decide(id, JSON.parse(JSON.stringify(change).replace('ASKER', String(asker))) as Record<string, unknown>))
        .rejects.toMatchObject({ constraint });
      expect(await rowOf(id)).toEqual(untouched);
    });

    it('refuse a second voice of one person, and count two of different people', async () => {
      const id = await request('10000');
      await decide(id, {});
      await expect(decide(id, {})).rejects.toMatchObject({ code: '23505' });
      await expect(decide(id, { decision: 'reject' })).rejects.toMatchObject({ constraint: 'decisions_one_voice' });
      expect(await rowOf(id)).toMatchObject({ approvals: 1 });
      await decide(id, { person_id: 'usr_b' });
      expect(await rowOf(id)).toMatchObject({ approvals: 2 });
    });

    it('refuse to call approved what was not, or paid what was not', async () => {
      const id = await request('10000');
      await decide(id, {});
      for (const status of ['approved', 'processing']) {
        await expect(gateway.database.rows('update withdrawals set status = $2 where id = $1', [id, status])).rejects.toMatchObject({ constraint: 'withdrawals_are_approved' });
      }
      await expect(gateway.database.rows("update withdrawals set status = 'completed', approvals = 2 where id = $1", [id]))
        .rejects.toMatchObject({ constraint: 'withdrawals_are_settled' });
      await expect(gateway.database.rows("update withdrawals set status = 'completed', approvals = 2, settled_by = 'people', completions = 1 where id = $1", [id]))
        .rejects.toMatchObject({ constraint: 'withdrawals_by_two_people' });
    });

    it('refuse a second payout while one is alive, and to change what was decided', async () => {
      const id = await request();
      await approve(await signer(gateway), await shownOf(gateway, id));
      await expect(gateway.database.rows(
        `insert into payouts (client_id, livemode, id, subject_id, attempt, port, status, amount_minor, currency, destination, not_before, next_check_at)
         select client_id, livemode, 'po_x', id, 2, 'simulator', 'created', amount_minor, currency, destination, now(), now() from withdrawals where id = $1`, [id],
      )).rejects.toMatchObject({ constraint: 'payouts_one_alive' });
      await expect(gateway.database.rows('delete from decisions where subject_id = $1', [id])).rejects.toMatchObject({ code: '42501' });
      await expect(gateway.database.rows("update decisions set person_id = 'usr_z' where subject_id = $1", [id])).rejects.toMatchObject({ code: '42501' });
    });
  });

  it('leave books that add up', async () => {
    await gateway.database.rows("update withdrawals set approvals = 0 where status = 'pending_review' and approvals > 0");
    await eventually(async () => (await gateway.database.value("select count(*)::int from withdrawals where status in ('approved', 'processing')")) === 0);
    expect((await checkLedger(gateway)).fault).toBeUndefined();
  });
});
