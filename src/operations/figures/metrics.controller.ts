import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Policy } from '../../platform/http/policy';
import { Metrics } from '../../platform/observability/metrics';
import { MetricsDoor } from './metrics-door';

/** What Prometheus reads. */
@ApiTags('Health')
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly door: MetricsDoor,
    private readonly metrics: Metrics,
  ) {}

  @Get()
  @ApiProduces('text/plain')
  @Policy({
    access: 'public', limit: 'health', audit: null, answer: null, problems: ['unauthenticated'],
    summary: "Show the metrics in Prometheus's text format: with METRICS_TOKEN as bearer token, or from the gateway's own machine",
  })
  show(@Req() { headers }: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    this.door.check(headers.authorization);
    void reply.type(this.metrics.contentType);
    return this.metrics.text();
  }
}
