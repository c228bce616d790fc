import { Injectable } from '@nestjs/common';
import { Envelope, type SealedPlace } from '../../../platform/security/crypto/envelope';

/** The two columns that hold a sealed secret. */
export type SecretColumn = 'secret' | 'previous_secret';

/** Keeps endpoints' secrets sealed to their row and column; they are in clear only while something is being signed. */
@Injectable()
export class EndpointSecrets {
  constructor(private readonly envelope: Envelope) {}

  seal(secret: string, column: SecretColumn, clientId: string, endpointId: string): string {
    return this.envelope.seal(secret, place(column, clientId, endpointId));
  }

  /** @throws EnvelopeError when the text is not a secret of that endpoint, or its key is gone. */
  open(sealed: string, column: SecretColumn, clientId: string, endpointId: string): string {
    return this.envelope.open(sealed, place(column, clientId, endpointId)).toString('utf8');
  }
}

function place(column: SecretColumn, clientId: string, endpointId: string): SealedPlace {
  return { table: 'webhook_endpoints', column, row: `${clientId} ${endpointId}` };
}
