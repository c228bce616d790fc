import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Policy } from '../../platform/http/policy';
import { NotFoundProblem } from '../../platform/http/problem';
import { accountPage, PAGE_HEADERS } from './account-page';

/** The pages that the links in mails lead to. */
@ApiTags('Account')
@Controller('account')
export class AccountPagesController {
  @Get(':action')
  @Policy({
    access: 'public', limit: 'anonymous', audit: null, summary: 'The page behind the link of a mail: confirm, reset or invitation', answer: null,
    problems: ['not_found'],
  })
  page(@Param('action') action: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const page = accountPage(action);
    if (!page) throw new NotFoundProblem('page');
    void reply.type('text/html; charset=utf-8').headers(PAGE_HEADERS);
    return page;
  }
}
