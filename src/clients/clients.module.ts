import { Global, Module } from '@nestjs/common';
import { KEY_DIRECTORY } from '../platform/security/key-directory';
import { AdminClientReader } from './admin/admin-client-reader';
import { AdminClientSettings } from './admin/admin-client-settings';
import { AdminClientsController } from './admin/admin-clients.controller';
import { ChangeClient } from './admin/change-client';
import { CreateClient } from './admin/create-client';
import { ApiKeyReader } from './api-keys/api-key-reader';
import { ApiKeysController } from './api-keys/api-keys.controller';
import { CreateApiKey } from './api-keys/create-api-key';
import { RapidKeyChanges } from './api-keys/rapid-key-changes';
import { RevokeApiKey } from './api-keys/revoke-api-key';
import { RotateApiKey } from './api-keys/rotate-api-key';
import { WarnOfOldKeys } from './api-keys/warn-of-old-keys';
import { BrandingController } from './branding/branding.controller';
import { ClientBranding } from './branding/client-branding';
import { ClientRegistry } from './client-registry';
import { ClientChanges } from './history/client-changes';
import { KeyDirectoryService } from './key-directory.service';
import { BookSettings } from './settings/book-settings';
import { ClientController } from './settings/client.controller';
import { ClientReader } from './settings/client-reader';
import { ClientSettings } from './settings/client-settings';
import { ClientSettingsSections } from './settings/client-settings-sections';
import { RenameClient } from './settings/rename-client';

/** Merchants, their keys and settings. Global, because every guarded route asks who its key belongs to. */
@Global()
@Module({
  controllers: [ApiKeysController, ClientController, BrandingController, AdminClientsController],
  providers: [
    ClientRegistry, KeyDirectoryService, { provide: KEY_DIRECTORY, useExisting: KeyDirectoryService },
    CreateApiKey, RotateApiKey, RevokeApiKey, ApiKeyReader, RapidKeyChanges, WarnOfOldKeys,
    ClientReader, ClientSettings, ClientSettingsSections, BookSettings, RenameClient, ClientBranding, ClientChanges,
    AdminClientReader, AdminClientSettings, CreateClient, ChangeClient,
  ],
  exports: [ClientRegistry, KEY_DIRECTORY, ClientSettingsSections],
})
export class ClientsModule {}
