import { randomUUID } from 'node:crypto';
import { Gateway } from './support/gateway';
import { Mailbox, tokenIn } from './support/mailbox';
import type { Merchant } from './support/merchant';
import { callJson, member, PASSWORD, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';

describe('people', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let mailbox: Mailbox;

  beforeAll(async () => {
    gateway = await Gateway.start();
    merchant = await gateway.merchant();
    mailbox = new Mailbox(gateway.settings.dataDir, gateway.database);
  });
  afterAll(() => gateway.stop());

  const newEmail = () => `${randomUUID()}@invited.example`;
  const invite = (as: TestPerson, email: string) => as.post('/v1/people', { email, role: 'developer' });
  const accept = (token: string) =>
    callJson(`${gateway.url}/v1/auth/password/reset/confirm`, 'POST', { token, password: 'lichen-parade-52-cobalt' });

  it('cannot be invited into what they belong to', async () => {
    const owner = await member(gateway, merchant, 'owner');
    expectProblem(await invite(owner, (await member(gateway, merchant, 'viewer')).email), 409, 'state_conflict');
  });

  it('are not told of by an invitation: who has an account elsewhere learns of it, and nobody else', async () => {
    const owner = await member(gateway, merchant, 'owner');
    const elsewhere = await member(gateway, await gateway.merchant(), 'owner');
    const [taken, free] = [await invite(owner, elsewhere.email), await invite(owner, newEmail())];
    const shape = ({ status, body }: typeof taken) => [status, Object.keys(body), body.status, body.role];
    expect(shape(taken)).toEqual(shape(free));
    expect((await mailbox.next(elsewhere.email)).text).toMatch(/has one already, so nothing was changed/);
  });

  it('may be invited by many, and belong to the first whom they answer', async () => {
    const [owner, other] = [await member(gateway, merchant, 'owner'), await member(gateway, await gateway.merchant(), 'owner')];
    const email = newEmail();
    const links: string[] = [];
    for (const who of [owner, other]) {
      expect((await invite(who, email)).status).toBe(201);
      links.push(tokenIn((await mailbox.next(email)).text));
    }
    expect((await accept(links[1])).status).toBe(200);
    expectProblem(await accept(links[0]), 409, 'state_conflict');
    expect(await gateway.database.value("select count(*)::int from people where email = $1 and status = 'active'", [email])).toBe(1);
  });

  it('are mailed three times an hour at most', async () => {
    const owner = await member(gateway, merchant, 'owner');
    const email = newEmail();
    for (let time = 1; time <= 3; time += 1) expect((await invite(owner, email)).status).toBe(201);
    expectProblem(await invite(owner, email), 429, 'rate_limited');
  });

  it('get no link of the inviter in a mail of ours', async () => {
    const shop = await gateway.merchant({ name: 'Prize! https://evil.example/claim <b>now</b> evil.example' });
    const email = newEmail();
    await invite(await member(gateway, shop, 'owner'), email);
    const { text } = await mailbox.next(email);
    expect(text).toContain('join "Prize');
    expect(text).not.toMatch(/evil\.example|<b>/);
    expect(text.match(/https?:\/\/\S+/g)).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/account\/invitation#token=/)]);
  });

  it('keep an address for nobody: whoever holds it can still give it to their own account', async () => {
    const email = newEmail();
    await invite(await member(gateway, merchant, 'owner'), email);
    await mailbox.next(email);
    const holder = await member(gateway, await gateway.merchant(), 'owner');
    expect((await holder.post('/v1/auth/email/change', { email, current_password: PASSWORD })).status).toBe(202);
    const token = tokenIn((await mailbox.next(email)).text);
    expect((await callJson(`${gateway.url}/v1/auth/email/verify`, 'POST', { token })).status).toBe(200);
    expect(await gateway.database.value('select email from people where id = $1', [holder.id])).toBe(email);
  });
});
