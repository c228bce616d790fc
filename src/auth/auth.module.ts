import { Global, Module } from '@nestjs/common';
import { SETTINGS } from '../platform/config/settings';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { SECOND_FACTOR } from '../platform/security/second-factor';
import { SESSION_DIRECTORY } from '../platform/security/session-directory';
import { AccountMail } from './account-mail';
import { AuthController } from './auth.controller';
import { CAPTCHA } from './captcha/captcha';
import { captchaFrom } from './captcha/captcha-from';
import { CleanCaptchaUses } from './captcha/clean-captcha-uses';
import { SignedDecisions } from './decisions/signed-decisions';
import { DeviceCookie } from './login/device-cookie';
import { FinishLogin } from './login/finish-login';
import { Login } from './login/login';
import { LoginAdmission } from './login/login-admission';
import { LoginPeople } from './login/login-people';
import { PasswordCheck } from './passwords/password-check';
import { PasswordHasher } from './passwords/password-hasher';
import { OwnerMail } from './owner-mail';
import { OpenSession } from './sessions/open-session';
import { OwnSessions } from './sessions/own-sessions';
import { RefreshSession } from './sessions/refresh-session';
import { SessionDirectoryService } from './sessions/session-directory.service';
import { SuspiciousActivity } from './suspicious-activity';
import { AccessTokens } from './tokens/access-token';
import { Enrol } from './two-factor/enrol';
import { OfferTwoFactor } from './two-factor/offer-two-factor';
import { ManageTwoFactor } from './two-factor/manage-two-factor';
import { SecondFactorCodes } from './two-factor/second-factor-codes';
import { TwoFactorController } from './two-factor/two-factor.controller';

/** People who log in. Global, because every guarded route asks whose session it is. */
@Global()
@Module({
  controllers: [AuthController, TwoFactorController],
  providers: [
    { provide: CAPTCHA, inject: [SETTINGS, UnitOfWork], useFactory: captchaFrom }, CleanCaptchaUses,
    AccessTokens, PasswordHasher, PasswordCheck, SuspiciousActivity,
    Login, LoginAdmission, LoginPeople, FinishLogin, DeviceCookie,
    OpenSession, RefreshSession, OwnSessions, SessionDirectoryService, { provide: SESSION_DIRECTORY, useExisting: SessionDirectoryService },
    SignedDecisions,
    AccountMail, OwnerMail, OfferTwoFactor, Enrol, ManageTwoFactor, SecondFactorCodes, { provide: SECOND_FACTOR, useExisting: SecondFactorCodes },
  ],
  exports: [
    AccountMail, OwnerMail, SESSION_DIRECTORY, SECOND_FACTOR, CAPTCHA, PasswordHasher, PasswordCheck, SecondFactorCodes, SessionDirectoryService,
    SignedDecisions,
  ],
})
export class AuthModule {}
