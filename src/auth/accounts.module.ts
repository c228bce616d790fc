import { Module } from '@nestjs/common';
import { AccountPagesController } from './account-pages/account-pages.controller';
import { CleanAccounts } from './clean-accounts';
import { AdminPeopleController } from './people/admin-people.controller';
import { ChangePerson } from './people/change-person';
import { InvitePerson } from './people/invite-person';
import { PeopleController } from './people/people.controller';
import { PeopleReader } from './people/people-reader';
import { PeopleRegistry } from './people/people-registry';
import { SigningKey } from './people/signing-key';
import { SigningKeyController } from './people/signing-key.controller';
import { ChangeEmail } from './registration/change-email';
import { ChangePassword } from './registration/change-password';
import { ConfirmEmail } from './registration/confirm-email';
import { ConfirmPasswordReset } from './registration/confirm-password-reset';
import { OwnProfile } from './registration/own-profile';
import { PasswordController } from './registration/password.controller';
import { Register } from './registration/register';
import { RegistrationController } from './registration/registration.controller';
import { RequestPasswordReset, SendPasswordReset } from './registration/request-password-reset';

/** How people come, change and go: registration, passwords, addresses, invitations and roles. Signing in is the business of AuthModule. */
@Module({
  controllers: [RegistrationController, PasswordController, PeopleController, AdminPeopleController, SigningKeyController, AccountPagesController],
  providers: [
    CleanAccounts,
    Register, ConfirmEmail, ChangeEmail, OwnProfile,
    RequestPasswordReset, SendPasswordReset, ConfirmPasswordReset, ChangePassword,
    PeopleReader, InvitePerson, ChangePerson, SigningKey, PeopleRegistry,
  ],
})
export class AccountsModule {}
