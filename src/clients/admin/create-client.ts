import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { ClientRegistry } from '../client-registry';
import { type AdminClientObject, type CreateClientBody, presentClientToStaff } from './admin-clients.dto';

/** Makes a client without keys: its people make their own, and nobody else ever sees them. */
@Injectable()
export class CreateClient {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly registry: ClientRegistry,
  ) {}

  create({ name, live_enabled: live, fee_bps: feeBps, rate_multiplier: rateMultiplier }: CreateClientBody): Promise<AdminClientObject> {
    return this.unitOfWork.run(async (tx) => {
      const client = await this.registry.createWithoutKey(tx, { name, live, feeBps, rateMultiplier });
      return presentClientToStaff(client);
    });
  }
}
