import { Body, Controller, Get, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { Enrol } from './enrol';
import { ManageTwoFactor } from './manage-two-factor';
import { OfferTwoFactor } from './offer-two-factor';
import {
  backupCodesAnswer, type DisableBody, disableBody, type EnrolBody, enrolBody, enrolmentAnswer, type RenewCodesBody, renewCodesBody, statusAnswer, stepUpAnswer, type VerifyBody,
  verifyBody,
} from './two-factor.dto';

/** The second factor of whoever has signed in. Staff need one; without it they can only set it up. */
@ApiTags('Second factor')
@Controller('v1/auth/2fa')
export class TwoFactorController {
  constructor(
    private readonly offers: OfferTwoFactor,
    private readonly enrolment: Enrol,
    private readonly twoFactor: ManageTwoFactor,
  ) {}

  @Get('status')
  @Policy({ access: 'person', enrolment: true, limit: 'person', audit: null, summary: 'Tell whether you have a second factor', answer: statusAnswer })
  status() {
    return this.twoFactor.status();
  }

  @Post('enroll')
  @Policy({
    access: 'person', enrolment: true, limit: 'client_edit', audit: null, summary: 'Get a secret for an authenticator; it counts once verified',
    answer: enrolmentAnswer, problems: ['forbidden', 'state_conflict'],
  })
  enroll(@Body({ schema: enrolBody }) { password }: EnrolBody) {
    return this.offers.offer(password);
  }

  @Post('verify')
  @Policy({
    access: 'person', enrolment: true, limit: 'client_edit', audit: 'two_factor.enabled', summary: 'Turn the second factor on with its first code',
    answer: backupCodesAnswer, problems: ['two_factor_invalid', 'state_conflict'],
  })
  verify(@Body({ schema: verifyBody }) { code }: VerifyBody) {
    return this.enrolment.verify(code);
  }

  @Post('step-up')
  @Policy({
    access: 'person', limit: 'client_edit', audit: null, summary: 'Enter a code, so that sensitive acts ask for none for five minutes',
    answer: stepUpAnswer, problems: ['two_factor_invalid', 'state_conflict'],
  })
  stepUp(@Body({ schema: verifyBody }) { code }: VerifyBody) {
    return this.twoFactor.stepUp(code);
  }

  @Post('backup-codes')
  @Policy({
    access: 'person', stepUp: 'own', limit: 'client_edit', audit: 'two_factor.backup_codes_renewed', summary: 'Get ten new backup codes; the earlier ones stop working',
    answer: backupCodesAnswer, problems: ['two_factor_required', 'two_factor_invalid', 'state_conflict'],
  })
  renewBackupCodes(@Body({ schema: renewCodesBody }) { code }: RenewCodesBody) {
    return this.twoFactor.renewBackupCodes(code);
  }

  @Post('disable')
  @Policy({
    access: 'person', stepUp: 'own', limit: 'client_edit', audit: 'two_factor.disabled', summary: 'Turn the second factor off', status: 204, answer: null,
    problems: ['forbidden', 'two_factor_invalid', 'state_conflict'],
  })
  disable(@Body({ schema: disableBody }) body: DisableBody) {
    return this.twoFactor.disable(body);
  }
}
