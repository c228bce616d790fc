import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { newId } from '../identifiers';
import { Problem } from './problem';
import type { Headers } from './security-headers';

/**
 * What is refused before the router, and so before hooks, guards and the filter: addresses that cannot be decoded and bytes that are
 * no HTTP. The caller is told in the same form as everywhere, and one line goes to the log.
 */
export class RawRefusals {
  private readonly logger = new Logger('Http');

  /** `headers` go with every refusal. */
  constructor(private readonly headers: Headers) {}

  /** An address with broken percent-encoding, or with a part that is longer than any identifier. */
  readonly badAddress = (error: { code: string }, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = new Problem('malformed_request', 'The address is not valid: its percent-encoding is broken, or a part is too long.');
    this.note(request.id, error.code, request.ip);
    void reply
      .status(problem.status)
      .headers(this.headers)
      .header('x-request-id', request.id)
      .type('application/problem+json; charset=utf-8')
      .send(JSON.stringify(problem.toBody(request.id)));
  };

  /** Bytes that are no HTTP request, headers over 16 KiB, a request that came too slowly: answered on the bare socket, then closed. */
  readonly badBytes = (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const requestId = newId('req');
    this.note(requestId, error.code, socket.remoteAddress);
    // An answer that is already on its way must not get a second one into its middle; Node keeps it on the socket.
    const begun = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage?.headersSent;
    if (socket.writable && !begun) socket.write(answer(detailOf(error), { 'x-request-id': requestId, ...this.headers }, requestId));
    socket.destroy(error);
  };

  /** RFC 9110 section 10.1.1 lets a server ignore an expectation that it does not know; Node's own 417 would have no body. */
  static ignoreExpectations(server: Server): void {
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => server.emit('request', request, response));
  }

  private note(requestId: string, reason: string | undefined, ip: string | undefined): void {
    this.logger.log({ msg: 'refused before routing', request_id: requestId, route: 'unknown', status: 400, reason, ip });
  }
}

function detailOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'The request did not arrive within 30 seconds.';
  if (code === 'HPE_HEADER_OVERFLOW') return 'The address and headers are larger than 16 KiB.';
  return 'This is not a valid HTTP request.';
}

function answer(detail: string, headers: Headers, requestId: string): string {
  const problem = new Problem('malformed_request', detail);
  const body = JSON.stringify(problem.toBody(requestId));
  return [
    `HTTP/1.1 ${problem.status} Bad Request`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
