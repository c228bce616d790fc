import { Inject, Injectable } from '@nestjs/common';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS, type Settings } from '../../platform/config/settings';
import type { LoginOutcome } from './login';

const NAME = 'cpg_device';
const MAX_AGE_SECONDS = 180 * 86_400;

/** The device token that a browser sends along; it opens nothing, it only tells the device from strangers. */
export function deviceOf({ headers }: FastifyRequest): string | undefined {
  return headers.cookie === undefined ? undefined : parseCookie(headers.cookie)[NAME];
}

/** Lets browsers keep the token of the device that has logged in. */
@Injectable()
export class DeviceCookie {
  private readonly secure: boolean;

  constructor(@Inject(SETTINGS) { publicUrl }: Settings) {
    this.secure = publicUrl.startsWith('https://');
  }

  /** Sets the cookie of a new device, out of scripts' reach (RFC 6265, 4.1.2), and passes on the answer. */
  remember(reply: FastifyReply, { answer, device }: LoginOutcome): LoginOutcome['answer'] {
    if (device) {
      const cookie = stringifySetCookie({
        name: NAME, value: device, path: '/v1/auth', maxAge: MAX_AGE_SECONDS, httpOnly: true, sameSite: 'strict', secure: this.secure,
      });
      void reply.header('set-cookie', cookie);
    }
    return answer;
  }
}
