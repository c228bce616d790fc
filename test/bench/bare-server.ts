import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigModule } from '../../src/platform/config/config.module';
import { prepareSettings } from '../../src/platform/config/load-settings';
import { DatabaseModule } from '../../src/platform/database/database.module';
import { type KeyAccess, runInContext } from '../../src/platform/http/request-context';
import { PaymentReader } from '../../src/payments/payment-reader';

const access = { ...(JSON.parse(process.env.CPG_BENCH_BOOK ?? '{}') as object) } as KeyAccess;

/** The handler of GET /v1/payments/:id with nothing around it: no guard, hook, log or header. */
@Controller('bare')
class BareController {
  constructor(private readonly payments: PaymentReader) {}

  @Get(':id')
  get(@Param('id') id: string) {
    return runInContext({ requestId: 'bench', access, startedAt: 0 }, () => this.payments.get(id));
  }
}

@Module({ controllers: [BareController], providers: [PaymentReader] })
class BareModule {}

async function main(): Promise<void> {
  const settings = prepareSettings();
  const database = { url: settings.databaseUrl!, directUrl: settings.databaseUrl! };
  const root = { module: BareModule, imports: [ConfigModule.forRoot(settings), DatabaseModule.forRoot(database, [])] };
  const app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), { logger: false });
  await app.listen(settings.port, '127.0.0.1');
  process.on('SIGTERM', () => void app.close());
}

void main();
