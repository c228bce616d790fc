import { Body, Controller, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { STAFF_ROLES } from '../../platform/http/roles';
import { type SigningKeyBody, signingKeyBody, signingKeyObject } from './people.dto';
import { SigningKey } from './signing-key';

/** The key with which one of the staff signs decisions. */
@ApiTags('Account')
@Controller('v1/auth/signing-key')
export class SigningKeyController {
  constructor(private readonly signingKey: SigningKey) {}

  @Post()
  @Policy({
    access: 'staff', roles: STAFF_ROLES, stepUp: true, limit: 'client_edit', audit: 'signing_key.changed',
    summary: 'Set the public half of your signing key', answer: signingKeyObject,
  })
  set(@Body({ schema: signingKeyBody }) { public_key: publicKey }: SigningKeyBody) {
    return this.signingKey.set(publicKey);
  }
}
