import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, type PageQuery, toPage } from '../../platform/http/pagination';
import { NotFoundProblem } from '../../platform/http/problem';
import { currentAccess } from '../../platform/http/request-context';
import { type ApiKeyObject, presentApiKey, type ShownKey } from './api-key-presenter';

/** Neither the hash nor the sealed secret is even read. */
export const KEY_COLUMNS = `
  id, livemode, name, prefix, scopes, allowed_ips as "allowedIps", expires_at as "expiresAt", revoked_at as "revokedAt",
  last_used_at as "lastUsedAt", replaced_by as "replacedBy", created_at as "createdAt"`;

/** Reads the keys of the caller's client and mode; those of others are not found. */
@Injectable()
export class ApiKeyReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  async get(id: string): Promise<ApiKeyObject> {
    const { clientId, livemode } = currentAccess();
    const [key] = await this.unitOfWork.read<ShownKey>(
      'get_api_key',
      `select ${KEY_COLUMNS} from api_keys where client_id = $1 and livemode = $2 and id = $3`,
      [clientId, livemode, id],
    );
    if (!key) throw new NotFoundProblem('API key');
    return presentApiKey(key);
  }

  /** A page of keys, newest first, revoked and expired ones among them. */
  async list(page: PageQuery): Promise<Page<ApiKeyObject>> {
    const { clientId, livemode } = currentAccess();
    const clause = keyset('key', { client_id: clientId, livemode }, page);
    const keys = await this.unitOfWork.read<ShownKey>('', `select ${KEY_COLUMNS} from api_keys ${clause.sql}`, clause.values);
    return toPage(keys, page, presentApiKey);
  }
}
