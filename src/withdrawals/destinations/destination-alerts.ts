import { Injectable } from '@nestjs/common';
import { OwnerMail } from '../../auth/owner-mail';
import type { Tx } from '../../platform/database/unit-of-work';
import type { DestinationObject } from './destination';

/** Tells the owners of a client that its money can go somewhere new: the cool-off is of use only to those who know of it. */
@Injectable()
export class DestinationAlerts {
  constructor(private readonly mail: OwnerMail) {}

  /** Writes the mails in the change that they tell of. The holder's name stays out: whoever has stolen a key could write anything there. */
  tellOwners(tx: Tx, clientId: string, { id, address, iban, active_at }: DestinationObject): Promise<void> {
    return this.mail.tell(tx, clientId, 'A new destination for withdrawals was added', [
      'Somebody with one of your API keys has added a destination that withdrawals of real money can go to:',
      `${address === null ? `Bank account ${iban}` : `TRON address ${address}`} (${id})`,
      `Withdrawals can go there from ${active_at} on.`,
      'If nobody of you did this, revoke your API keys now and tell the operator of the gateway. Then delete the destination with a new '
      + `key: DELETE /v1/destinations/${id}.`,
    ]);
  }
}
