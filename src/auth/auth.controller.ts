import { Body, Controller, Delete, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { PageQuery } from '../platform/http/pagination';
import { Policy } from '../platform/http/policy';
import { noBody } from '../platform/http/validation';
import { CAPTCHA, captchaChallenge, type CaptchaCheck } from './captcha/captcha';
import { deviceOf, DeviceCookie } from './login/device-cookie';
import { FinishLogin } from './login/finish-login';
import { Login } from './login/login';
import { type LoginBody, loginBody, type SecondStepBody, secondStepBody, ticketAnswer } from './login/login.dto';
import { tokensAnswer } from './sessions/open-session';
import { listSessionsQuery, OwnSessions, sessionId, sessionObject, sessionPage } from './sessions/own-sessions';
import { type RefreshBody, refreshBody, RefreshSession } from './sessions/refresh-session';

/** Logging in and out, and what a person has open. */
@ApiTags('Sign-in')
@Controller('v1/auth')
export class AuthController {
  constructor(
    @Inject(CAPTCHA) private readonly captcha: CaptchaCheck,
    private readonly firstStep: Login,
    private readonly secondStep: FinishLogin,
    private readonly refreshSession: RefreshSession,
    private readonly sessions: OwnSessions,
    private readonly devices: DeviceCookie,
  ) {}

  @Get('captcha')
  @Policy({ access: 'public', limit: 'anonymous', audit: null, summary: 'Get a CAPTCHA to solve', answer: captchaChallenge })
  challenge() {
    return this.captcha.challenge();
  }

  @Post('login')
  @Policy({
    access: 'public', limit: 'anonymous', audit: 'login.succeeded', summary: 'Log in with e-mail and password',
    answer: z.union([tokensAnswer, ticketAnswer]), problems: ['unauthenticated', 'captcha_required', 'provider_unavailable'],
  })
  async login(@Body({ schema: loginBody }) body: LoginBody, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.devices.remember(reply, await this.firstStep.login(body, deviceOf(request)));
  }

  @Post('login/2fa')
  @Policy({
    access: 'public', limit: 'anonymous', audit: 'login.succeeded', summary: 'Finish logging in with a code of the second factor',
    answer: tokensAnswer, problems: ['unauthenticated', 'two_factor_invalid'],
  })
  async loginSecondStep(
    @Body({ schema: secondStepBody }) body: SecondStepBody, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.devices.remember(reply, await this.secondStep.finish(body, deviceOf(request)));
  }

  @Post('refresh')
  @Policy({
    access: 'public', limit: 'anonymous', audit: null, summary: 'Exchange a refresh token for a new pair of tokens',
    answer: tokensAnswer, problems: ['unauthenticated'],
  })
  refresh(@Body({ schema: refreshBody }) { refresh_token: token }: RefreshBody) {
    return this.refreshSession.refresh(token);
  }

  @Post('logout')
  @Policy({ access: 'person', enrolment: true, limit: 'person', audit: 'logout', summary: 'End this session', status: 204, answer: null })
  logout(@Body({ schema: noBody }) _body: unknown) {
    return this.sessions.logout();
  }

  @Get('sessions')
  @Policy({ access: 'person', limit: 'person', audit: null, summary: 'List your open sessions, newest first', answer: sessionPage })
  listSessions(@Query({ schema: listSessionsQuery }) query: PageQuery) {
    return this.sessions.list(query);
  }

  @Get('sessions/:id')
  @Policy({ access: 'person', limit: 'person', audit: null, summary: 'Get one of your open sessions', answer: sessionObject, problems: ['not_found'] })
  getSession(@Param({ schema: sessionId }) { id }: { id: string }) {
    return this.sessions.get(id);
  }

  @Delete('sessions')
  @Policy({ access: 'person', limit: 'person', audit: 'session.revoked', summary: 'End all your sessions, this one too', status: 204, answer: null })
  endSessions() {
    return this.sessions.revokeAll();
  }

  @Delete('sessions/:id')
  @Policy({
    access: 'person', limit: 'person', audit: 'session.revoked', summary: 'End one of your sessions', status: 204, answer: null, problems: ['not_found'],
  })
  endSession(@Param({ schema: sessionId }) { id }: { id: string }) {
    return this.sessions.revoke(id);
  }
}
