import { Inject, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ConfigModule } from './config.module';
import { loadSettings } from './load-settings';
import { SETTINGS, type Settings } from './settings';

@Injectable()
class Reader {
  constructor(@Inject(SETTINGS) readonly settings: Settings) {}
}

@Module({ providers: [Reader] })
class Feature {}

it('gives the settings to features that do not import it', async () => {
  const settings = loadSettings({ ENCRYPTION_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), JWT_SECRET_KEY: 'x'.repeat(32) });
  const app = await Test.createTestingModule({ imports: [ConfigModule.forRoot(settings), Feature] }).compile();
  expect(app.get(Reader, { strict: false }).settings).toBe(settings);
  await app.close();
});
