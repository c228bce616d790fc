import { Controller, Get, Headers, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { prefersCsv } from '../platform/http/csv';
import { AlsoCsv } from '../platform/http/csv-export';
import { Policy, READERS } from '../platform/http/policy';
import { BalanceReader } from './balance-reader';
import { balanceObject, entryPage, statementQuery, type StatementQuery } from './ledger.dto';
import { StatementReader } from './statement-reader';

/** What a merchant has, and how it came about. */
@ApiTags('Balance')
@Controller('v1')
export class LedgerController {
  constructor(
    private readonly balances: BalanceReader,
    private readonly statement: StatementReader,
  ) {}

  @Get('balances')
  @Policy({
    access: 'api_key', scope: 'balances:read', roles: READERS, limit: 'key', audit: null, summary: 'Get the balances',
    answer: balanceObject,
  })
  balance() {
    return this.balances.get();
  }

  @Get('ledger/entries')
  @AlsoCsv()
  @Policy({
    access: 'api_key', scope: 'balances:read', roles: READERS, limit: 'key', audit: null,
    summary: 'List the entries of an account, newest first; with Accept: text/csv all of them, by currency and oldest first',
    answer: entryPage,
  })
  entries(@Query({ schema: statementQuery }) query: StatementQuery, @Headers('accept') accept?: string) {
    return prefersCsv(accept) ? this.statement.csv(query) : this.statement.page(query);
  }
}
