import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { MerchantCalls } from './merchant-calls';
import { expectThat, mustBe, note, pick, tell } from './story';

const ACCOUNT = { type: 'bank_account', iban: 'DE89370400440532013000', holder: 'Demo shop' };
const PAYOUT_TIMEOUT_MS = 15_000;

/** The merchant has its money paid out: the amount is held at once, approved by staff of straw, and paid by a bank of straw. */
export async function payOut(merchant: MerchantCalls): Promise<void> {
  tell('The merchant saves its bank account and asks for 20.00 USD');
  const saved = await merchant.post('/v1/destinations', ACCOUNT, randomUUID());
  mustBe(saved, 201);
  note(`201 ${pick(saved.body, 'id', 'active_at')}`);
  const asked = await merchant.post('/v1/withdrawals', { amount: '20.00', currency: 'USD', destination: saved.body['id'] }, randomUUID());
  mustBe(asked, 201);
  note(`201 ${pick(asked.body, 'id', 'status', 'approvals_required')}`);
  await expectBalance(merchant, '4.37', '20.00');

  tell('It asks for 20.00 USD once more, which it has not got');
  const refused = await merchant.post('/v1/withdrawals', { amount: '20.00', currency: 'USD', destination: saved.body['id'] }, randomUUID());
  note(`${refused.status} ${String(refused.body['code'])}`);
  expectThat(refused.status === 422 && refused.body['code'] === 'insufficient_funds', 'What is held must not be spent twice.');

  tell('In test mode nobody has to wait for staff: they approve, and the bank pays');
  const path = `/v1/withdrawals/${String(asked.body['id'])}`;
  const approved = await merchant.post(`/v1/test${path.slice(3)}/decide`, { decision: 'approve' }, randomUUID());
  mustBe(approved, 200);
  note(`200 ${pick(approved.body, 'status', 'approvals')}`);
  const deadline = performance.now() + PAYOUT_TIMEOUT_MS;
  let withdrawal = await merchant.get(path);
  while (withdrawal.body['status'] !== 'completed' && performance.now() < deadline) {
    await pause(250);
    withdrawal = await merchant.get(path, { quiet: true });
  }
  note(`${withdrawal.status} ${pick(withdrawal.body, 'status')}`);
  expectThat(withdrawal.body['status'] === 'completed', `It is still ${String(withdrawal.body['status'])}.`);
  await expectBalance(merchant, '4.37', '0.00');
}

async function expectBalance(merchant: MerchantCalls, available: string, held: string): Promise<void> {
  const balance = await merchant.get('/v1/balances');
  mustBe(balance, 200);
  note(`200 ${JSON.stringify(balance.body['balances'])}`);
  const [usd] = balance.body['balances'] as Record<string, string>[];
  expectThat(usd?.['available'] === available && usd['held'] === held, `There must be ${available} available and ${held} held.`);
}
