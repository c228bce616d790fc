import { placesThat } from './support/canary';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { Mailbox, tokenIn } from './support/mailbox';
import type { Merchant } from './support/merchant';
import { callJson, totpCode } from './support/people';
import { solveCaptcha } from './support/solve-captcha';

const EMAIL = 'ada@secrets.example';
const FIRST_PASSWORD = 'tern-lamp-39-orchard-view';
const SECOND_PASSWORD = 'quiet-basalt-71-marmalade';

/** Walks a person's whole life with the gateway and remembers every secret that was shown or entered on the way. */
describe('what is secret', () => {
  const log: string[] = [];
  const secrets: Record<string, string> = { FIRST_PASSWORD, SECOND_PASSWORD };
  let gateway: Gateway;
  let merchant: Merchant;
  let mailbox: Mailbox;

  beforeAll(async () => {
    gateway = await Gateway.start({ log });
    merchant = await gateway.merchant();
    mailbox = new Mailbox(gateway.settings.dataDir, gateway.database);
    await liveThrough();
  }, 60_000);
  afterAll(() => gateway.stop());

  const post = async (path: string, body: unknown, token?: string, expected: readonly number[] = [200, 201, 202]) => {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const answer = await callJson<Record<string, string>>(`${gateway.url}/v1/${path}`, 'POST', body, headers);
    expect([path, answer.text, expected.includes(answer.status)]).toEqual([path, answer.text, true]);
    return answer;
  };
  const keep = (name: string, value: string) => {
    expect(value?.length).toBeGreaterThanOrEqual(8);
    secrets[name] = value;
    return value;
  };
  const keepTokens = (name: string, body: Record<string, string>) => {
    keep(`${name}: refresh token`, body.refresh_token);
    return keep(`${name}: access token`, body.access_token);
  };

  const liveThrough = async () => {
    await post('auth/register', { email: EMAIL, password: FIRST_PASSWORD, captcha: await solveCaptcha(gateway.url), client_name: 'Secrets' });
    await post('auth/email/verify', { token: keep('confirmation', tokenIn((await mailbox.next(EMAIL)).text)) });
    await post('auth/login', { email: EMAIL, password: 'a wrong one', captcha: 'nonsense' }, undefined, [401, 403]);
    const login = await post('auth/login', { email: EMAIL, password: FIRST_PASSWORD });
    const token = keepTokens('login', login.body);
    keep('device', /cpg_device=([^;]+)/.exec(login.headers.get('set-cookie') ?? '')![1]);
    const offer = await post('auth/2fa/enroll', {}, token);
    keep('TOTP secret', offer.body.secret);
    const step = Math.floor(Date.now() / 30_000);
    const verified = await post('auth/2fa/verify', { code: await totpCode(offer.body.secret, step) }, token);
    for (const [at, code] of (verified.body as unknown as { backup_codes: string[] }).backup_codes.entries()) keep(`backup code ${at}`, code);
    const { body: ticket } = await post('auth/login', { email: EMAIL, password: FIRST_PASSWORD });
    keep('ticket', ticket.ticket);
    const second = await post('auth/login/2fa', { ticket: ticket.ticket, code: secrets['backup code 0'] });
    const fresh = keepTokens('second login', second.body);
    keepTokens('refreshed', (await post('auth/refresh', { refresh_token: second.body.refresh_token })).body);
    const key = await post('api-keys', { name: 'shop', scopes: ['payments:read'] }, fresh);
    keep('API key', key.body.api_key);
    keep('signing secret', key.body.signing_secret);
    const endpoint = await post('webhook-endpoints', { url: 'http://127.0.0.1:18080/hook', events: ['*'] }, fresh);
    keep('webhook secret', endpoint.body.secret);
    await post('auth/password/reset', { email: EMAIL });
    expect((await mailbox.next(EMAIL)).subject).toBe('Your second factor was changed');
    const link = keep('reset link', tokenIn((await mailbox.next(EMAIL)).text));
    await post('auth/password/reset/confirm', { token: link, password: SECOND_PASSWORD, code: secrets['backup code 1'] });
    keep('merchant: API key', merchant.credentials.apiKey);
    keep('merchant: signing secret', merchant.credentials.signingSecret);
    await merchant.post('/v1/payments', { amount: '25.00', currency: 'USD', method: 'simulated' });
    // What is entered into the wrong field, or sent where no field is, must not be kept either.
    await callJson(`${gateway.url}/v1/auth/login?token=${secrets['reset link']}`, 'POST', { email: EMAIL, password: SECOND_PASSWORD, [secrets['API key']]: 1 }, {
      authorization: `Bearer ${secrets['login: access token']}`, 'user-agent': `agent ${secrets['API key']} ${secrets['login: refresh token']}`,
    });
    await eventually(async () => (await gateway.database.value<number>('select count(*)::int from graphile_worker.jobs where locked_at is null and attempts = 0')) === 0);
  };

  const namesIn = (text: string) => Object.entries(secrets).filter(([, secret]) => text.includes(secret)).map(([name]) => name);

  it('is in no table in clear', async () => {
    expect(Object.keys(secrets).length).toBeGreaterThan(20);
    expect(await placesThat(gateway.database, (text) => namesIn(text).length > 0)).toEqual([]);
  });

  it('is in no line of the log', () => {
    expect(log.length).toBeGreaterThan(10);
    expect(log.flatMap((line) => namesIn(line).map((name) => `${name} in ${line}`))).toEqual([]);
  });

  it('would be found by this search if it were stored', async () => {
    await gateway.database.rows('insert into job_workers (worker_id, instance) values ($1, 1)', [`x ${secrets.ticket}`]);
    expect(await placesThat(gateway.database, (text) => namesIn(text).length > 0)).toEqual(['public.job_workers.worker_id']);
    await gateway.database.rows("delete from job_workers where worker_id like 'x %'");
  });
});
