import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { paymentId } from '../payments.dto';
import { submitTransactionBody, type SubmitTransactionBody } from './chain-payments.dto';
import { chainVerification } from './chain-verification';
import { SubmitTransaction } from './submit-transaction';

/** Payments on chain, for merchants. */
@ApiTags('Payments')
@Controller('v1/payments')
export class ChainPaymentsController {
  constructor(private readonly submitTransaction: SubmitTransaction) {}

  @Post(':id/transactions')
  @Policy({
    access: 'api_key', scope: 'payments:write', limit: 'status_update', audit: 'payment.transaction_submitted',
    summary: 'Submit the chain transaction that pays a payment', answer: chainVerification,
    problems: ['not_found', 'state_conflict', 'transaction_already_used'],
  })
  submit(@Param({ schema: paymentId }) { id }: { id: string }, @Body({ schema: submitTransactionBody }) body: SubmitTransactionBody) {
    return this.submitTransaction.submit(id, body);
  }
}
