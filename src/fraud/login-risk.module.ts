import { Global, Module } from '@nestjs/common';
import { LOGIN_RISK } from '../platform/security/login-risk';
import { AssessLogin } from './assessments/assess-login';
import { FraudModule } from './fraud.module';

/** Lets the auth room, which knows nothing of this one, ask how risky a login looks. */
@Global()
@Module({
  imports: [FraudModule],
  providers: [AssessLogin, { provide: LOGIN_RISK, useExisting: AssessLogin }],
  exports: [LOGIN_RISK],
})
export class LoginRiskModule {}
