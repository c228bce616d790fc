import { type DynamicModule, Module } from '@nestjs/common';
import { SETTINGS, type Settings } from './settings';

/**
 * Gives every feature the settings under the token `SETTINGS`. They are read and checked before Nest starts, so that a wrong setting ends
 * the start before anything else has happened.
 */
@Module({})
export class ConfigModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: SETTINGS, useValue: settings }],
      exports: [SETTINGS],
    };
  }
}
