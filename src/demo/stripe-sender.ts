import { createHmac, randomBytes } from 'node:crypto';
import { type Answer, send } from './merchant-calls';

/** An event as Stripe would send it when its customer has paid. `amount` is in cents. */
export function paidEvent(paymentId: string, amount: number): string {
  const created = Math.floor(Date.now() / 1000);
  return JSON.stringify({
    id: `evt_demo_${randomBytes(8).toString('hex')}`,
    object: 'event',
    type: 'payment_intent.succeeded',
    livemode: false,
    created,
    data: {
      object: {
        id: `pi_demo_${randomBytes(8).toString('hex')}`,
        object: 'payment_intent',
        amount,
        amount_received: amount,
        currency: 'usd',
        status: 'succeeded',
        metadata: { payment_id: paymentId },
      },
    },
  });
}

/** Signs a body as Stripe does (https://docs.stripe.com/webhooks#verify-manually) and sends another one if asked to, as a forger would. */
export function deliver(url: string, secret: string, body: string, sentBody = body): Promise<Answer> {
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return send(`${url}/v1/webhooks/stripe`, {
    method: 'POST',
    body: sentBody,
    headers: { 'content-type': 'application/json', 'stripe-signature': `t=${timestamp},v1=${signature}` },
  });
}
