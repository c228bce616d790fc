import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { currentAccess } from '../../platform/http/request-context';
import { Client } from '../client.entity';
import { type ClientObject, presentClient } from './settings.dto';

/** Reads the client that the caller belongs to. */
@Injectable()
export class ClientReader {
  constructor(private readonly dataSource: DataSource) {}

  async own(): Promise<ClientObject> {
    const { clientId, livemode } = currentAccess();
    return presentClient(await this.dataSource.manager.findOneByOrFail(Client, { id: clientId }), livemode);
  }
}
