import { Module } from '@nestjs/common';
import { BalanceReader } from './balance-reader';
import { CheckLedgerJob } from './check-ledger.job';
import { LedgerCheck } from './ledger-check';
import { LedgerController } from './ledger.controller';
import { Ledger } from './ledger.service';
import { StatementReader } from './statement-reader';

/** Double entry: moves and holds money, shows it to its owner, and proves that it adds up. */
@Module({
  controllers: [LedgerController],
  providers: [Ledger, LedgerCheck, CheckLedgerJob, BalanceReader, StatementReader],
  exports: [Ledger, LedgerCheck],
})
export class LedgerModule {}
