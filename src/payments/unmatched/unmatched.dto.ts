import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { freeText, idSchema, visibleText } from '../../platform/http/validation';
import { UNMATCHED_REASONS, UNMATCHED_STATUSES } from './unmatched-deposit';
import { unmatchedObject } from './unmatched-presenter';

export const depositId = z.strictObject({ id: idSchema('dep') });

export const listUnmatchedQuery = listQuery('dep', {
  status: z.enum(UNMATCHED_STATUSES).optional(),
  provider: visibleText(1, 50).optional(),
  client: idSchema('cli').optional(),
  reason: z.enum(UNMATCHED_REASONS).optional(),
});
export type ListUnmatchedQuery = z.output<typeof listUnmatchedQuery>;
export const unmatchedPage = pageOf(unmatchedObject);

const common = {
  reason: freeText(1, 500).meta({ description: 'Why, for whoever looks at it later.' }),
  revision: z.int().min(1).optional().meta({ description: 'The revision that was shown: another one refuses the call.' }),
};

export const assignBody = z.strictObject({
  payment: idSchema('pay').meta({ description: 'The payment that takes all of it. Money that is booked stays in its book.' }),
  ...common,
});
export type AssignBody = z.output<typeof assignBody>;

export const refundDepositBody = z.strictObject({
  destination: visibleText(1, 100).optional().meta({ description: 'For booked USDT: the address that it goes back to.' }),
  evidence: freeText(1, 2000).optional().meta({ description: 'For money that is not booked and was given back by hand: what shows it.' }),
  ...common,
});
export type RefundDepositBody = z.output<typeof refundDepositBody>;
