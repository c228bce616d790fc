import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { PageQuery } from '../../platform/http/pagination';
import { Policy } from '../../platform/http/policy';
import { ChangeEmail } from './change-email';
import { ConfirmEmail } from './confirm-email';
import { OwnProfile } from './own-profile';
import { Register } from './register';
import {
  accepted, activityPage, type ChangeEmailBody, changeEmailBody, confirmedEmail, listActivityQuery, profileObject, type RegisterBody, registerBody,
  type VerifyEmailBody, verifyEmailBody,
} from './registration.dto';

/** Opening an account, its e-mail address, and what a person may know of themselves. */
@ApiTags('Account')
@Controller('v1/auth')
export class RegistrationController {
  constructor(
    private readonly registering: Register,
    private readonly confirming: ConfirmEmail,
    private readonly changingEmail: ChangeEmail,
    private readonly profile: OwnProfile,
  ) {}

  @Post('register')
  @Policy({
    access: 'public', limit: 'anonymous', audit: null, summary: 'Register; a mail with a link follows', status: 202, answer: accepted,
    problems: ['captcha_required', 'provider_unavailable'],
  })
  register(@Body({ schema: registerBody }) body: RegisterBody) {
    return this.registering.register(body);
  }

  @Post('email/verify')
  @Policy({
    access: 'public', limit: 'anonymous', audit: 'person.registered',
    summary: 'Confirm an e-mail address with the token of the mail', answer: confirmedEmail, problems: ['state_conflict'],
  })
  verifyEmail(@Body({ schema: verifyEmailBody }) { token }: VerifyEmailBody) {
    return this.confirming.confirm(token);
  }

  @Post('email/change')
  @Policy({
    access: 'person', stepUp: 'own', limit: 'client_edit', audit: 'email.change_requested',
    summary: 'Ask for another e-mail address; a mail to it follows',
    status: 202, answer: accepted, problems: ['forbidden', 'two_factor_required', 'two_factor_invalid'],
  })
  changeEmail(@Body({ schema: changeEmailBody }) body: ChangeEmailBody) {
    return this.changingEmail.ask(body);
  }

  @Get('me')
  @Policy({ access: 'person', enrolment: true, limit: 'person', audit: null, summary: 'Get your own profile', answer: profileObject })
  me() {
    return this.profile.get();
  }

  @Get('activity')
  @Policy({ access: 'person', limit: 'person', audit: null, summary: 'List what you have done, newest first', answer: activityPage })
  activity(@Query({ schema: listActivityQuery }) query: PageQuery) {
    return this.profile.activity(query);
  }
}
