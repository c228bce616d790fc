import { Body, Controller, Get, Inject, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { SETTINGS, type Settings } from '../../config/settings';
import { sha256Hex } from '../../security/crypto/digests';
import { inAnyCidr } from '../../security/network/address-rules';
import { Policy } from '../policy';
import { currentContext } from '../request-context';
import { seenRequest, signatureBody, type SignatureBody, signedLines } from './debug.dto';

const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];

/** Shows a developer what the gateway would sign, to find the byte in which a signature differs. Never takes a secret. */
@ApiTags('Debug')
@Controller('v1/debug/signature')
export class DebugSignatureController {
  @Post()
  @Policy({
    access: 'public', limit: 'anonymous', audit: null, summary: 'Show the lines that a signature is made over', answer: signedLines,
  })
  show(@Body({ schema: signatureBody }) given: SignatureBody): z.output<typeof signedLines> {
    const digest = sha256Hex(given.body);
    return {
      lines: [given.timestamp, given.method.toUpperCase(), given.path, given.idempotency_key, digest],
      body_sha256: digest,
      body_bytes: Buffer.byteLength(given.body),
    };
  }
}

/** Shows how the gateway sees its caller, to find out which address a proxy in between makes of it. */
@ApiTags('Debug')
@Controller('v1/debug/request')
export class DebugRequestController {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  @Get()
  @Policy({ access: 'public', limit: 'anonymous', audit: null, summary: 'Show how the gateway sees you', answer: seenRequest })
  show(@Req() { headers, socket }: FastifyRequest): z.output<typeof seenRequest> {
    const { ip, apiVersion, requestId } = currentContext();
    return {
      ip: ip ?? null,
      api_version: apiVersion ?? null,
      request_id: requestId,
      forwarding_headers: FORWARDING_HEADERS.filter((name) => headers[name] !== undefined),
      peer_trusted: inAnyCidr(socket.remoteAddress ?? '', this.settings.trustedProxies),
    };
  }
}
