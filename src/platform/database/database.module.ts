import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import { SETTINGS, type Settings } from '../config/settings';
import { Envelope } from '../security/crypto/envelope';
import { dataSourceOptions } from './data-source';
import { UnitOfWork } from './unit-of-work';

/** Where the database is, decided before Nest starts: the embedded server's address is known only once it runs. */
export interface DatabaseLocation {
  /** For queries; may lead through a pooler. */
  url: string;
  /** Past a pooler: for the job queue, which listens. */
  directUrl: string;
}
export const DATABASE_LOCATION = Symbol('DATABASE_LOCATION');

/** The data source, the envelope for secrets at rest, and the unit of work that every change goes through. */
@Module({})
export class DatabaseModule {
  static forRoot(location: DatabaseLocation, entities: DataSourceOptions['entities']): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      imports: [TypeOrmModule.forRoot({ ...dataSourceOptions({ url: location.url, entities }), retryAttempts: 1 })],
      providers: [
        { provide: DATABASE_LOCATION, useValue: location },
        { provide: Envelope, inject: [SETTINGS], useFactory: (settings: Settings) => new Envelope(settings.encryptionMasterKeys) },
        UnitOfWork,
      ],
      exports: [DATABASE_LOCATION, Envelope, UnitOfWork],
    };
  }
}
