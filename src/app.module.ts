import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { AuditModule } from './audit/audit.module';
import { AccountsModule } from './auth/accounts.module';
import { AuthModule } from './auth/auth.module';
import { Person } from './auth/people/person.entity';
import { ChainsModule } from './chains/chains.module';
import { ApiKey } from './clients/api-key.entity';
import { Client } from './clients/client.entity';
import { ClientsModule } from './clients/clients.module';
import { AnomaliesModule } from './fraud/anomalies/anomalies.module';
import { RiskListsModule } from './fraud/lists/risk-lists.module';
import { FraudModule } from './fraud/fraud.module';
import { LoginRiskModule } from './fraud/login-risk.module';
import { LedgerModule } from './ledger/ledger.module';
import { OperationsModule } from './operations/operations.module';
import { PaymentsModule } from './payments/payments.module';
import { RefundsModule } from './payments/refunds/refunds.module';
import { ConfigModule } from './platform/config/config.module';
import type { Settings } from './platform/config/settings';
import { type DatabaseLocation, DatabaseModule } from './platform/database/database.module';
import { DebugModule } from './platform/http/debug/debug.module';
import { ProblemFilter } from './platform/http/problem.filter';
import { ValidationPipe } from './platform/http/validation';
import { PlatformModule } from './platform/platform.module';
import { AuthenticationGuard } from './platform/security/guards/authentication.guard';
import { CardNumberGuard } from './platform/security/guards/card-number.guard';
import { ClientBudgetGuard } from './platform/security/guards/client-budget.guard';
import { IdempotencyGuard } from './platform/security/guards/idempotency.guard';
import { RateLimitGuard } from './platform/security/guards/rate-limit.guard';
import { ScopeGuard } from './platform/security/guards/scope.guard';
import { SignatureGuard } from './platform/security/guards/signature.guard';
import { StepUpGuard } from './platform/security/guards/step-up.guard';
import { InboundWebhooksModule } from './webhooks/inbound/inbound-webhooks.module';
import { OutboundWebhooksModule } from './webhooks/outbound/outbound-webhooks.module';
import { WithdrawalsModule } from './withdrawals/withdrawals.module';
import { DestinationsModule } from './withdrawals/destinations/destinations.module';

/**
 * In this order: who calls, is there room for it, did they mean exactly this, may they, is it really them, is there room in what
 * their client shares, does it hold no card number, and was it asked before.
 */
const GUARDS: readonly Type[] = [
  AuthenticationGuard, RateLimitGuard, SignatureGuard, ScopeGuard, StepUpGuard, ClientBudgetGuard, CardNumberGuard, IdempotencyGuard,
];
const ENTITIES = [Client, ApiKey, Person];
/** The rooms, lower ones first; a room knows only those before it. */
const ROOMS: readonly Type[] = [
  PlatformModule, AuditModule, LedgerModule, ClientsModule, AuthModule, AccountsModule,
  RiskListsModule, AnomaliesModule, FraudModule, LoginRiskModule, ChainsModule, PaymentsModule, RefundsModule,
  DestinationsModule, WithdrawalsModule,
  InboundWebhooksModule, OutboundWebhooksModule, OperationsModule,
];

/** The whole gateway on one screen. */
@Module({})
export class AppModule {
  static forRoot(settings: Settings, database: DatabaseLocation): DynamicModule {
    const guards: Provider[] = GUARDS.map((guard) => ({ provide: APP_GUARD, useClass: guard }));
    return {
      module: AppModule,
      imports: [ConfigModule.forRoot(settings), DatabaseModule.forRoot(database, ENTITIES), ...ROOMS, DebugModule.forRoot(settings)],
      providers: [...guards, { provide: APP_PIPE, useClass: ValidationPipe }, { provide: APP_FILTER, useExisting: ProblemFilter }],
    };
  }
}
