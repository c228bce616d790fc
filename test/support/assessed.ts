import { eventually } from './eventually';
import type { Gateway } from './gateway';

interface Scored {
  id: string;
  risk: { decision: string };
}

/** A payment whose assessment is written: of one that is let through it is right after the payment itself. */
export async function assessed<Payment extends Scored>({ database }: Pick<Gateway, 'database'>, payment: Payment): Promise<Payment> {
  await eventually(() => database.value<boolean>('select exists (select from risk_assessments where subject_id = $1)', [payment.id]));
  return payment;
}
