import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '../cli/client-commands';
import { checkLedger } from '../cli/database-commands';
import { MerchantCalls, send } from './merchant-calls';
import { payOut } from './pay-out';
import { isGenuine, Receiver } from './receiver';
import { expectThat, mustBe, note, pick, tell } from './story';
import { deliver, paidEvent } from './stripe-sender';

const ORDER = { amount: '25.00', currency: 'USD', method: 'card', metadata: { order: '1042' } };
const APPLY_TIMEOUT_MS = 15_000;

/**
 * The main job from end to end against a running server: a merchant is made, asks for a payment, the provider says that it was
 * paid, the money is booked less the fee, the merchant is told, and has it paid out.
 * @throws DemoFailure at the first step that is not as promised
 */
export async function walk(url: string, stripeSecret: string): Promise<void> {
  await waitForServer(url);
  const merchant = await newMerchant(url);
  const receiver = await Receiver.start();
  try {
    const endpointSecret = await addEndpoint(merchant, receiver.url);
    const paymentId = await createPayment(merchant);
    await payByStripe(url, stripeSecret, paymentId);
    await awaitSuccess(merchant, paymentId);
    await readBalance(merchant, paymentId);
    await readEvents(receiver, endpointSecret, paymentId);
    await payOut(merchant);
    await checkBooks();
  } finally {
    receiver.close();
  }
}

async function waitForServer(url: string): Promise<void> {
  tell('The server is ready');
  note(`GET ${url}/health/ready`);
  const answer = await send(`${url}/health/ready`);
  note(`${answer.status} ${JSON.stringify(answer.body['checks'] ?? answer.body)}`);
  expectThat(answer.status === 200, 'The server is not ready yet; its log says why.');
}

async function newMerchant(url: string): Promise<MerchantCalls> {
  tell('An operator makes a merchant with a fee of 2.5 %');
  note('npm run cpg -- client:create --name "Demo shop" --fee-bps 250');
  const keys = await createClient({ name: 'Demo shop', feeBps: 250, rateMultiplier: 1 });
  note(`${keys.client_id} with key ${keys.key_id}`);
  const merchant = new MerchantCalls(url, keys.api_key, keys.signing_secret);
  const { status } = await merchant.get('/v1/payments');
  note(`${status}: the server knows the new key`);
  expectThat(
    status === 200,
    `The server at ${url} works on another database. Start the server and the demo in the same folder with the same settings.`,
  );
  return merchant;
}

async function addEndpoint(merchant: MerchantCalls, url: string): Promise<string> {
  tell('The merchant says where events are to be sent: a small web server that this demo has just started');
  const answer = await merchant.post('/v1/webhook-endpoints', { url, events: ['payment.*'] }, randomUUID());
  expectThat(
    answer.body['code'] !== 'url_not_allowed',
    'The server does not send to addresses on this computer. ' +
      'Start it with WEBHOOKS_ALLOW_PRIVATE_NETWORKS=true (development and test only).',
  );
  mustBe(answer, 201);
  note(`201 ${pick(answer.body, 'id', 'status', 'events')} and a secret, shown once`);
  return String(answer.body['secret']);
}

async function createPayment(merchant: MerchantCalls): Promise<string> {
  tell('The merchant asks for a payment of 25.00 USD by card');
  const key = randomUUID();
  const created = await merchant.post('/v1/payments', ORDER, key);
  mustBe(created, 201);
  note(`201 ${pick(created.body, 'id', 'status', 'amount', 'currency')}`);

  tell('The answer got lost, so it asks again with the same Idempotency-Key');
  const again = await merchant.post('/v1/payments', ORDER, key);
  mustBe(again, 201);
  note(`201 ${pick(again.body, 'id')}, Idempotency-Replayed: ${again.headers.get('idempotency-replayed')}`);
  expectThat(again.body['id'] === created.body['id'], 'A second payment was made.');
  expectThat(again.headers.get('idempotency-replayed') === 'true', 'The repetition was not recognised.');
  return String(created.body['id']);
}

async function payByStripe(url: string, secret: string, paymentId: string): Promise<void> {
  const body = paidEvent(paymentId, 2500);
  tell('A forger turns the 25.00 into 95.00 in an event that Stripe has signed');
  const forged = await deliver(url, secret, body, body.replaceAll('2500', '9500'));
  note(`POST /v1/webhooks/stripe: ${forged.status} ${String(forged.body['code'])}`);
  const refused = forged.status === 401 && forged.body['code'] === 'signature_invalid';
  expectThat(refused, `A changed event must be refused with 401, not ${forged.status}.`);

  tell('Stripe itself says that the customer has paid: payment_intent.succeeded, signed');
  const genuine = await deliver(url, secret, body);
  note(`POST /v1/webhooks/stripe: ${genuine.status} ${JSON.stringify(genuine.body)}`);
  mustBe(genuine, 200);

  tell('Stripe sends the same event once more, as it does');
  const duplicate = await deliver(url, secret, body);
  note(`POST /v1/webhooks/stripe: ${duplicate.status} ${JSON.stringify(duplicate.body)}`);
  expectThat(duplicate.status === 200 && duplicate.body['duplicate'] === true, 'A repeated event must be told to be a duplicate.');
}

async function awaitSuccess(merchant: MerchantCalls, paymentId: string): Promise<void> {
  tell('The payment has succeeded');
  const deadline = performance.now() + APPLY_TIMEOUT_MS;
  let payment = await merchant.get(`/v1/payments/${paymentId}`);
  while (payment.body['status'] !== 'succeeded' && performance.now() < deadline) {
    await pause(250);
    payment = await merchant.get(`/v1/payments/${paymentId}`, { quiet: true });
  }
  note(`${payment.status} ${pick(payment.body, 'status', 'amount_received', 'fee')}`);
  expectThat(payment.body['status'] === 'succeeded', `It is still ${String(payment.body['status'])}.`);
  expectThat(payment.body['fee'] === '0.63', '2.5 % of 25.00 must be 0.63, rounded half up.');
}

async function readBalance(merchant: MerchantCalls, paymentId: string): Promise<void> {
  tell('The money is on the merchant\'s balance, less the fee');
  const balance = await merchant.get('/v1/balances');
  mustBe(balance, 200);
  note(`200 ${JSON.stringify(balance.body['balances'])}`);
  const [usd] = balance.body['balances'] as Record<string, string>[];
  expectThat(usd?.['available'] === '24.37', 'The available balance must be 24.37.');

  tell('The statement says how it came about');
  const statement = await merchant.get('/v1/ledger/entries');
  mustBe(statement, 200);
  const entries = statement.body['data'] as Record<string, unknown>[];
  for (const { type, amount, currency, code, balance_after: balanceAfter } of entries) {
    note(`${String(type)} ${String(amount)} ${String(currency)} (${String(code)}), balance after it ${String(balanceAfter)}`);
  }
  expectThat(entries.length === 2 && entries.every((entry) => entry['reference'] === paymentId), 'It must have the payment and its fee.');
}

async function readEvents(receiver: Receiver, secret: string, paymentId: string): Promise<void> {
  tell('The merchant\'s web server was told, and checks the signatures');
  for (const type of ['payment.created', 'payment.succeeded']) {
    const received = await receiver.event(type, paymentId);
    const genuine = isGenuine(received, secret);
    note(`${type} ${String(received.headers['webhook-id'])}: signature ${genuine ? 'genuine' : 'wrong'}`);
    expectThat(genuine, 'Its signature does not fit the secret of the endpoint.');
  }
}

async function checkBooks(): Promise<void> {
  tell('The books balance');
  note('npm run cpg -- ledger:check');
  const { text, exitCode } = await checkLedger();
  note(text);
  expectThat(exitCode === 0, 'The ledger does not add up.');
}
