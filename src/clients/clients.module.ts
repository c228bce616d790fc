import { Global, Module } from '@nestjs/common';
import { KEY_DIRECTORY } from '../platform/security/key-directory';
import { KeyDirectoryService } from './key-directory.service';
import { ClientRegistry } from './client-registry';

/** Merchants, their keys and settings. Global, because every guarded route asks who its key belongs to. */
@Global()
@Module({
  providers: [ClientRegistry, KeyDirectoryService, { provide: KEY_DIRECTORY, useExisting: KeyDirectoryService }],
  exports: [ClientRegistry, KEY_DIRECTORY],
})
export class ClientsModule {}
