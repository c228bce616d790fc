import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Policy } from '../platform/http/policy';
import { Readiness } from './readiness';

const live = z.object({ status: z.literal('ok') });
const ready = z.object({ status: z.literal('ok'), checks: z.record(z.string(), z.enum(['ok', 'degraded', 'off'])) });

/** Answers for whoever watches the process: is it alive, and may it be sent traffic. */
@ApiTags('Health')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Policy({ access: 'public', limit: 'health', audit: null, summary: 'Tell that the process is alive', answer: live })
  live() {
    return { status: 'ok' };
  }

  @Get('ready')
  @Policy({
    access: 'public', limit: 'health', audit: null,
    summary: 'Tell whether the database, its migrations and the queue are ready, Redis and the chain if set, and whether fraud detection and its country database are on',
    answer: ready, problems: ['not_ready'],
  })
  ready() {
    return this.readiness.check();
  }
}
