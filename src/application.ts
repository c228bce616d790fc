import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger as Pino } from 'pino';
import { AppModule } from './app.module';
import type { Settings } from './platform/config/settings';
import type { DatabaseLocation } from './platform/database/database.module';
import { allowOrigins, httpAdapter, prepareHttp } from './platform/http/http-server';
import { publishOpenApi } from './platform/http/openapi/docs-page';
import { NestLog } from './platform/observability/logging';

/** Builds the application against a migrated database, ready to listen. The server, the tests and the benchmark all use this one. */
export async function createApplication(settings: Settings, database: DatabaseLocation, log: Pino): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(settings, database), httpAdapter(settings), {
    logger: new NestLog(log),
    bodyParser: false,
    abortOnError: false,
  });
  prepareHttp(app, log);
  allowOrigins(app, settings.frontendOrigins);
  await app.init();
  await publishOpenApi(app);
  await app.getHttpAdapter().getInstance().ready();
  return app;
}
