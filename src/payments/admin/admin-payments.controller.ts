import { Body, Controller, Get, Headers, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { prefersCsv } from '../../platform/http/csv';
import { AlsoCsv } from '../../platform/http/csv-export';
import { Policy } from '../../platform/http/policy';
import { STAFF_ROLES } from '../../platform/http/roles';
import { chainVerification } from '../chain/chain-verification';
import { paymentId } from '../payments.dto';
import { paymentFile } from './admin-payment-presenter';
import { AdminPaymentReader } from './admin-payment-reader';
import {
  adminListPaymentsQuery, type AdminListPaymentsQuery, adminPaymentPage, changeStatusBody, type ChangeStatusBody, statusAnswer,
  verifyPaymentBody, type VerifyPaymentBody,
} from './admin-payments.dto';
import { EndPayment } from './end-payment';
import { ForceSuccess } from './force-success';
import { VerifyPayment } from './verify-payment';

/** Payments of all clients, for staff. */
@ApiTags('Staff: payments')
@Controller('v1/admin/payments')
export class AdminPaymentsController {
  constructor(
    private readonly payments: AdminPaymentReader,
    private readonly ending: EndPayment,
    private readonly forcing: ForceSuccess,
    private readonly verifying: VerifyPayment,
  ) {}

  @Get()
  @AlsoCsv()
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null,
    summary: 'List payments of all clients, newest first; with Accept: text/csv all of them, oldest first', answer: adminPaymentPage,
  })
  list(@Query({ schema: adminListPaymentsQuery }) query: AdminListPaymentsQuery, @Headers('accept') accept?: string) {
    return prefersCsv(accept) ? this.payments.csv(query) : this.payments.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null,
    summary: 'Get a payment with what arrived for it and was said about it', answer: paymentFile, problems: ['not_found'],
  })
  get(@Param({ schema: paymentId }) { id }: { id: string }) {
    return this.payments.get(id);
  }

  @Post(':id/verify')
  @Policy({
    access: 'staff', roles: ['admin', 'approver', 'analyst'], limit: 'status_update', audit: 'payment.verified_by_staff',
    summary: 'Look on the chain, now, whether a payment is paid', answer: chainVerification,
    problems: ['not_found', 'state_conflict', 'transaction_already_used'],
  })
  verify(@Param({ schema: paymentId }) { id }: { id: string }, @Body({ schema: verifyPaymentBody }) body: VerifyPaymentBody) {
    return this.verifying.verify(id, body);
  }

  @Post(':id/status')
  @Policy({
    access: 'staff', roles: ['admin', 'approver'], stepUp: 'own', limit: 'status_update', audit: 'payment.status_changed',
    summary: 'End a payment (an admin), or say that it was paid (two people, who sign with X-Timestamp and X-Admin-Signature)',
    answer: statusAnswer,
    problems: [
      'signature_invalid', 'signature_expired', 'two_factor_invalid', 'self_approval', 'not_found', 'stale_revision', 'state_conflict',
      'transaction_already_used',
    ],
  })
  changeStatus(
    @Param({ schema: paymentId }) { id }: { id: string }, @Body({ schema: changeStatusBody }) body: ChangeStatusBody,
    @Headers('x-timestamp') timestamp?: string, @Headers('x-admin-signature') signature?: string,
  ) {
    return body.status === 'succeeded' ? this.forcing.force(id, { timestamp, signature }, body) : this.ending.end(id, body);
  }
}
