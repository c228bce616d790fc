import { Body, Controller, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { ChangePassword } from './change-password';
import { ConfirmPasswordReset } from './confirm-password-reset';
import {
  accepted, changedPassword, type ChangePasswordBody, changePasswordBody, type ConfirmResetBody, confirmResetBody, type ResetPasswordBody,
  resetPasswordBody,
} from './registration.dto';
import { RequestPasswordReset } from './request-password-reset';

/** A new password: by the old one, by a link, or the first one of who was invited. */
@ApiTags('Account')
@Controller('v1/auth/password')
export class PasswordController {
  constructor(
    private readonly requesting: RequestPasswordReset,
    private readonly confirming: ConfirmPasswordReset,
    private readonly changing: ChangePassword,
  ) {}

  @Post('reset')
  @Policy({
    access: 'public', limit: 'password_reset_ip', audit: null,
    summary: 'Ask for a link to set a new password', status: 202, answer: accepted,
  })
  requestReset(@Body({ schema: resetPasswordBody }) { email }: ResetPasswordBody) {
    return this.requesting.ask(email);
  }

  @Post('reset/confirm')
  @Policy({
    access: 'public', limit: 'anonymous', audit: 'password.reset',
    summary: 'Set a password with the token of a mail; ends all sessions', answer: changedPassword,
    problems: ['two_factor_required', 'two_factor_invalid', 'state_conflict'],
  })
  confirmReset(@Body({ schema: confirmResetBody }) body: ConfirmResetBody) {
    return this.confirming.confirm(body);
  }

  @Post('change')
  @Policy({
    access: 'person', stepUp: 'own', limit: 'client_edit', audit: 'password.changed',
    summary: 'Change your password; ends your other sessions',
    answer: changedPassword, problems: ['forbidden', 'two_factor_required', 'two_factor_invalid', 'state_conflict'],
  })
  change(@Body({ schema: changePasswordBody }) body: ChangePasswordBody) {
    return this.changing.change(body);
  }
}
